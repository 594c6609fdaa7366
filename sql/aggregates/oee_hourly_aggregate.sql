-- OEE = availability x performance x quality (ISO 22400-2), from sums, so that a partial hour weighs what it lasted.
--
-- * No planned time: no OEE (null), not 0: a day off is not a failure.
-- * Planned but never ran (a breakdown over the whole hour): availability and OEE are 0; performance and quality, which
--   would divide by zero, are unknown.
-- * Pieces made while nothing was planned (overtime, a break) are left out, since their run time is unknown: with them
--   performance would pass 100 %. production_kpis counts them.
-- * Ran but made nothing: performance and OEE are 0, quality is unknown.
SELECT
  time_bucket(INTERVAL '1 hour', ts) AS bucket,
  machine_id,
  sum(planned_s::double precision) AS planned_s,
  sum(run_s::double precision) AS run_s,
  sum(ideal_cycle_s::double precision * total_count) FILTER (WHERE planned_s > 0) AS ideal_s,
  (sum(total_count) FILTER (WHERE planned_s > 0))::bigint AS total_count,
  (sum(good_count) FILTER (WHERE planned_s > 0))::bigint AS good_count,
  sum(run_s::double precision) / nullif(sum(planned_s::double precision), 0) AS availability,
  sum(ideal_cycle_s::double precision * total_count) FILTER (WHERE planned_s > 0) / nullif(sum(run_s::double precision), 0) AS performance,
  (sum(good_count) FILTER (WHERE planned_s > 0))::double precision / nullif(sum(total_count) FILTER (WHERE planned_s > 0), 0) AS quality,
  CASE
    WHEN sum(planned_s) = 0 THEN NULL
    WHEN sum(run_s) = 0 OR sum(total_count) FILTER (WHERE planned_s > 0) = 0 THEN 0
    ELSE (sum(run_s::double precision) / sum(planned_s::double precision))
      * (sum(ideal_cycle_s::double precision * total_count) FILTER (WHERE planned_s > 0) / sum(run_s::double precision))
      * ((sum(good_count) FILTER (WHERE planned_s > 0))::double precision / sum(total_count) FILTER (WHERE planned_s > 0))
  END AS oee
FROM factory_telemetry.oee_calculations
GROUP BY bucket, machine_id
