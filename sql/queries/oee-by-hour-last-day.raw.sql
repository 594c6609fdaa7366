-- question: How did availability, performance, quality and OEE of every machine run over a day, hour by hour?
-- :from  start, on the full hour
-- :to    end, on the full hour, not included
SELECT
  time_bucket(INTERVAL '1 hour', o.ts) AS hour,
  m.code AS machine,
  sum(o.run_s::double precision) / nullif(sum(o.planned_s::double precision), 0) AS availability,
  sum(o.ideal_cycle_s::double precision * o.total_count) FILTER (WHERE o.planned_s > 0) / nullif(sum(o.run_s::double precision), 0) AS performance,
  (sum(o.good_count) FILTER (WHERE o.planned_s > 0))::double precision / nullif(sum(o.total_count) FILTER (WHERE o.planned_s > 0), 0) AS quality,
  CASE
    WHEN sum(o.planned_s) = 0 THEN NULL
    WHEN sum(o.run_s) = 0 OR sum(o.total_count) FILTER (WHERE o.planned_s > 0) = 0 THEN 0
    ELSE sum(o.ideal_cycle_s::double precision * o.total_count) FILTER (WHERE o.planned_s > 0) / sum(o.planned_s::double precision)
      * sum(o.good_count) FILTER (WHERE o.planned_s > 0) / sum(o.total_count) FILTER (WHERE o.planned_s > 0)
  END AS oee
FROM factory_telemetry.oee_calculations o
JOIN factory_telemetry.machines m USING (machine_id)
WHERE o.ts >= :'from'::timestamptz AND o.ts < :'to'::timestamptz
GROUP BY 1, m.code
ORDER BY 1, m.code
