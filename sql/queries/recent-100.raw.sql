-- question: What are the last 100 samples of one sensor?
-- :machine  code of the machine
-- :metric   code of the metric
-- aggregate: none, because single samples are asked for, and the primary key leads straight to them
SELECT h.ts, h.value
FROM factory_telemetry.metric_hist h
WHERE h.machine_id = (SELECT machine_id FROM factory_telemetry.machines WHERE code = :'machine')
  AND h.metric_id = (SELECT metric_id FROM factory_telemetry.metrics WHERE code = :'metric')
ORDER BY h.ts DESC
LIMIT 100
