-- Built on the hourly level: an update reads 24 hours a series instead of every sample.
SELECT
  time_bucket(INTERVAL '1 day', bucket) AS bucket,
  machine_id,
  metric_id,
  sum(samples)::bigint AS samples,
  sum(value_sum) AS value_sum,
  sum(value_sum) / sum(samples) AS value_avg,
  min(value_min) AS value_min,
  max(value_max) AS value_max,
  last(value_last, bucket) AS value_last
FROM factory_telemetry.metric_hourly_aggregate
GROUP BY 1, machine_id, metric_id
