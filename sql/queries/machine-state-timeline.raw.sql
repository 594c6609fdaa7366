-- question: What was one machine doing, from when to when, and why?
-- :machine  code of the machine
-- :from     start
-- :to       end, not included
-- aggregate: none, because the table holds changes, not samples: there is nothing left to condense
WITH machine AS (
  SELECT machine_id FROM factory_telemetry.machines WHERE code = :'machine'
),
changes AS (
  -- The state that the period begins with was entered before it.
  (
    SELECT :'from'::timestamptz AS ts, c.state, c.reason
    FROM factory_telemetry.production_context_history c
    WHERE c.machine_id = (SELECT machine_id FROM machine) AND c.ts <= :'from'::timestamptz
    ORDER BY c.ts DESC
    LIMIT 1
  )
  UNION ALL
  SELECT c.ts, c.state, c.reason
  FROM factory_telemetry.production_context_history c
  WHERE c.machine_id = (SELECT machine_id FROM machine)
    AND c.ts > :'from'::timestamptz
    AND c.ts < :'to'::timestamptz
)
SELECT ts AS starts, lead(ts, 1, :'to'::timestamptz) OVER (ORDER BY ts) AS ends, state, reason
FROM changes
ORDER BY ts
