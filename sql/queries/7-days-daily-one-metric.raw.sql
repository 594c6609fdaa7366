-- question: How did one quantity, e.g. the temperature, run on every machine over a week, day by day (UTC)?
-- :metric  code of the metric
-- :from    first day, at 00:00 UTC
-- :to      end, at 00:00 UTC, not included
SELECT
  time_bucket(INTERVAL '1 day', h.ts) AS day,
  m.code AS machine,
  count(*) AS samples,
  sum(h.value::double precision) / count(*) AS value_avg,
  min(h.value) AS value_min,
  max(h.value) AS value_max
FROM factory_telemetry.metric_hist h
JOIN factory_telemetry.machines m USING (machine_id)
WHERE h.metric_id = (SELECT metric_id FROM factory_telemetry.metrics WHERE code = :'metric')
  AND h.ts >= :'from'::timestamptz
  AND h.ts < :'to'::timestamptz
GROUP BY 1, m.code
ORDER BY 1, m.code
