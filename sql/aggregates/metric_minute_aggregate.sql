-- One minute of one series. Sums and counts instead of averages, so that the levels above stay exact.
SELECT
  time_bucket(INTERVAL '1 minute', ts) AS bucket,
  machine_id,
  metric_id,
  count(*) AS samples,
  sum(value::double precision) AS value_sum,
  min(value) AS value_min,
  max(value) AS value_max,
  last(value, ts) AS value_last
FROM factory_telemetry.metric_hist
GROUP BY bucket, machine_id, metric_id
