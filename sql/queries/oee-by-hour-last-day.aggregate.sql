-- question: How did availability, performance, quality and OEE of every machine run over a day, hour by hour?
-- :from  start, on the full hour
-- :to    end, on the full hour, not included
SELECT a.bucket AS hour, m.code AS machine, a.availability, a.performance, a.quality, a.oee
FROM factory_telemetry.oee_hourly_aggregate a
JOIN factory_telemetry.machines m USING (machine_id)
WHERE a.bucket >= :'from'::timestamptz AND a.bucket < :'to'::timestamptz
ORDER BY a.bucket, m.code
