-- question: Which reasons cost the most breakdown time, and what share do the first ones add up to?
-- :from  start
-- :to    end, not included
-- aggregate: none, because the table holds changes, not samples: there is nothing left to condense
WITH changes AS (
  -- The state that the period begins with was entered before it.
  SELECT m.machine_id, :'from'::timestamptz AS ts, before.state, before.reason
  FROM factory_telemetry.machines m
  CROSS JOIN LATERAL (
    SELECT c.state, c.reason
    FROM factory_telemetry.production_context_history c
    WHERE c.machine_id = m.machine_id AND c.ts <= :'from'::timestamptz
    ORDER BY c.ts DESC
    LIMIT 1
  ) before
  UNION ALL
  SELECT c.machine_id, c.ts, c.state, c.reason
  FROM factory_telemetry.production_context_history c
  WHERE c.ts > :'from'::timestamptz AND c.ts < :'to'::timestamptz
),
periods AS (
  SELECT state, reason, lead(ts, 1, :'to'::timestamptz) OVER (PARTITION BY machine_id ORDER BY ts) - ts AS lasted
  FROM changes
),
reasons AS (
  SELECT
    coalesce(reason, 'unknown') AS reason,
    count(*) AS breakdowns,
    sum(extract(epoch FROM lasted))::double precision AS seconds
  FROM periods
  WHERE state = 'breakdown'
  GROUP BY 1
)
SELECT
  reason,
  breakdowns,
  seconds,
  seconds / sum(seconds) OVER () AS share,
  sum(seconds) OVER (ORDER BY seconds DESC, reason ROWS UNBOUNDED PRECEDING) / sum(seconds) OVER () AS cumulative_share
FROM reasons
ORDER BY seconds DESC, reason
