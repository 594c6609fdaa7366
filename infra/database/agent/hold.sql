-- Holds the jobs of TimescaleDB in a restored copy, and remembers which were held. Run after promotion, while the server
-- has no scheduler (timescaledb.max_background_workers = 0); afterwards a restart with one does no harm either.
CREATE SCHEMA IF NOT EXISTS ms5_restore;
CREATE TABLE IF NOT EXISTS ms5_restore.held_jobs (job_id integer PRIMARY KEY, held_at timestamptz NOT NULL DEFAULT now());
INSERT INTO ms5_restore.held_jobs (job_id)
  SELECT job_id FROM timescaledb_information.jobs WHERE scheduled AND job_id >= 1000
  ON CONFLICT DO NOTHING;
SELECT count(*) FROM ms5_restore.held_jobs AS held, LATERAL alter_job(held.job_id, scheduled => false);
