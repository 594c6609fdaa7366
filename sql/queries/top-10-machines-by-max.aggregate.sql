-- question: Which ten machines had the highest peaks of one quantity, e.g. vibration, in a day?
-- :metric  code of the metric
-- :from    start, on the full hour
-- :to      end, on the full hour, not included
SELECT m.code AS machine, max(a.value_max) AS value_max
FROM factory_telemetry.metric_hourly_aggregate a
JOIN factory_telemetry.machines m USING (machine_id)
WHERE a.metric_id = (SELECT metric_id FROM factory_telemetry.metrics WHERE code = :'metric')
  AND a.bucket >= :'from'::timestamptz
  AND a.bucket < :'to'::timestamptz
GROUP BY m.code
ORDER BY value_max DESC, m.code
LIMIT 10
