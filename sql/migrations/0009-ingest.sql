-- What has been ingested from files, and how far. A batch of rows and the progress it makes are one transaction, so an
-- interrupted ingest carries on behind the last batch that is really there.
CREATE TABLE factory_telemetry.ingest_files (
  -- SHA-256 over the file's bytes, the machine, the time zone and, where its metric is named after it, the file's name:
  -- the same bytes read differently are other data.
  fingerprint text PRIMARY KEY CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
  file_name text NOT NULL,
  -- Data records of the file that are dealt with (written, duplicate or rejected).
  records_done bigint NOT NULL DEFAULT 0 CHECK (records_done >= 0),
  rows_written bigint NOT NULL DEFAULT 0 CHECK (rows_written >= 0),
  rows_duplicate bigint NOT NULL DEFAULT 0 CHECK (rows_duplicate >= 0),
  records_rejected bigint NOT NULL DEFAULT 0 CHECK (records_rejected >= 0),
  -- Of the samples in it, as far as it is dealt with.
  first_ts timestamptz,
  last_ts timestamptz,
  -- Whether the aggregates hold them: refresh policies look back some days only, files go back years.
  aggregated boolean NOT NULL DEFAULT false,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  ingested_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE factory_telemetry.ingest_files IS 'Ledger of ingested files: the same file twice adds nothing';
