-- question: What does every sensor of every machine show now, or showed last?
-- aggregate: none, because the exact time of the last sample is asked for. One step down the primary key a series of
--   the dictionary (LATERAL) is three orders of magnitude faster than DISTINCT ON over all samples
SELECT m.code AS machine, x.code AS metric, latest.ts, latest.value
FROM factory_telemetry.machines m
CROSS JOIN factory_telemetry.metrics x
CROSS JOIN LATERAL (
  SELECT h.ts, h.value
  FROM factory_telemetry.metric_hist h
  WHERE h.machine_id = m.machine_id AND h.metric_id = x.metric_id
  ORDER BY h.ts DESC
  LIMIT 1
) latest
ORDER BY m.code, x.code
