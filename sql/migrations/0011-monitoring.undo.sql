-- ms5: drops monitoring.heartbeat
DROP FUNCTION monitoring.aggregates();
DROP FUNCTION monitoring.newest_rows();
DROP FUNCTION monitoring.recent_count();
DROP FUNCTION monitoring.beat(text);
DROP TABLE monitoring.heartbeat;
DROP SCHEMA monitoring;
