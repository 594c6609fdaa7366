-- question: Which 20 hours had the worst OEE, so that the morning meeting can ask why?
-- :from  start, on the full hour
-- :to    end, on the full hour, not included
-- Hours with less than half an hour of planned time are left out: one stop in them weighs too much.
SELECT a.bucket AS hour, m.code AS machine, a.oee
FROM factory_telemetry.oee_hourly_aggregate a
JOIN factory_telemetry.machines m USING (machine_id)
WHERE a.bucket >= :'from'::timestamptz AND a.bucket < :'to'::timestamptz AND a.planned_s >= 1800
-- Rounded, so that hours which differ by a rounding error come in a fixed order.
ORDER BY round(a.oee::numeric, 9), a.bucket, m.code
LIMIT 20
