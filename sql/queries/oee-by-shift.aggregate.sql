-- question: What was the OEE of every machine in every shift?
-- :from  start, on the full hour
-- :to    end, on the full hour, not included
-- Right where shifts begin on the full hour of UTC (not in a time zone of half hours): an hour then belongs to one
-- shift, which the calendar tells. A night shift counts for the day on which it starts.
SELECT
  (local.ts - CASE WHEN s.ends < s.starts THEN s.ends::interval ELSE INTERVAL '0' END)::date::text AS shift_day,
  s.code AS shift,
  m.code AS machine,
  sum(a.planned_s) AS planned_s,
  sum(a.good_count)::bigint AS good_count,
  CASE
    WHEN sum(a.planned_s) = 0 THEN NULL
    WHEN sum(a.total_count) = 0 OR sum(a.run_s) = 0 THEN 0
    ELSE sum(a.ideal_s) / sum(a.planned_s) * sum(a.good_count)::double precision / sum(a.total_count)::double precision
  END AS oee
FROM factory_telemetry.oee_hourly_aggregate a
JOIN factory_telemetry.machines m USING (machine_id)
CROSS JOIN LATERAL (SELECT a.bucket AT TIME ZONE m.timezone AS ts) local
JOIN factory_telemetry.shifts s
  ON CASE
       WHEN s.starts < s.ends THEN local.ts::time >= s.starts AND local.ts::time < s.ends
       ELSE local.ts::time >= s.starts OR local.ts::time < s.ends
     END
 AND extract(
       isodow FROM local.ts - CASE WHEN s.ends < s.starts THEN s.ends::interval ELSE INTERVAL '0' END
     )::smallint = ANY (s.weekdays)
WHERE a.bucket >= :'from'::timestamptz AND a.bucket < :'to'::timestamptz
GROUP BY 1, s.code, m.code
ORDER BY 1, s.code, m.code
