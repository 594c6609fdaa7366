-- question: What was the OEE of every machine in every shift?
-- :from  start, on the full hour
-- :to    end, on the full hour, not included
-- A night shift counts for the day on which it starts.
SELECT
  ((o.ts AT TIME ZONE m.timezone) - CASE WHEN s.ends < s.starts THEN s.ends::interval ELSE INTERVAL '0' END)::date::text
    AS shift_day,
  s.code AS shift,
  m.code AS machine,
  sum(o.planned_s::double precision) AS planned_s,
  (sum(o.good_count) FILTER (WHERE o.planned_s > 0))::bigint AS good_count,
  -- Availability x performance x quality, shortened: the run time and the total count cancel out.
  CASE
    WHEN sum(o.planned_s) = 0 THEN NULL
    WHEN sum(o.total_count) FILTER (WHERE o.planned_s > 0) = 0 OR sum(o.run_s) = 0 THEN 0
    ELSE sum(o.ideal_cycle_s::double precision * o.total_count) FILTER (WHERE o.planned_s > 0) / sum(o.planned_s::double precision)
      * sum(o.good_count) FILTER (WHERE o.planned_s > 0) / sum(o.total_count) FILTER (WHERE o.planned_s > 0)
  END AS oee
FROM factory_telemetry.oee_calculations o
JOIN factory_telemetry.machines m USING (machine_id)
JOIN factory_telemetry.shifts s USING (shift_id)
WHERE o.ts >= :'from'::timestamptz AND o.ts < :'to'::timestamptz
GROUP BY 1, s.code, m.code
ORDER BY 1, s.code, m.code
