-- question: Which 20 hours had the worst OEE, so that the morning meeting can ask why?
-- :from  start, on the full hour
-- :to    end, on the full hour, not included
-- Hours with less than half an hour of planned time are left out: one stop in them weighs too much.
WITH hours AS (
  SELECT
    time_bucket(INTERVAL '1 hour', o.ts) AS hour,
    o.machine_id,
    CASE
      WHEN sum(o.run_s) = 0 OR sum(o.total_count) FILTER (WHERE o.planned_s > 0) = 0 THEN 0
      ELSE sum(o.ideal_cycle_s::double precision * o.total_count) FILTER (WHERE o.planned_s > 0) / sum(o.planned_s::double precision)
        * sum(o.good_count) FILTER (WHERE o.planned_s > 0) / sum(o.total_count) FILTER (WHERE o.planned_s > 0)
    END AS oee
  FROM factory_telemetry.oee_calculations o
  WHERE o.ts >= :'from'::timestamptz AND o.ts < :'to'::timestamptz
  GROUP BY 1, 2
  HAVING sum(o.planned_s::double precision) >= 1800
)
SELECT hours.hour, m.code AS machine, hours.oee
FROM hours
JOIN factory_telemetry.machines m USING (machine_id)
-- Rounded, so that hours which differ by a rounding error come in a fixed order.
ORDER BY round(hours.oee::numeric, 9), hours.hour, m.code
LIMIT 20
