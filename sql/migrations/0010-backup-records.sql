-- What an auditor asks of backups: which points the database can be taken back to by name, and whether a backup was ever
-- restored. Both are added to by the cluster's own programs, and not changed.
CREATE TABLE audit.restore_points (
  point_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  name text NOT NULL,
  -- Where recovery to it ends.
  lsn pg_lsn NOT NULL,
  made_by text NOT NULL DEFAULT session_user,
  why text NOT NULL
);
COMMENT ON TABLE audit.restore_points IS 'Named places in the log that a restore can end at';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.restore_points
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

CREATE TABLE audit.backup_drills (
  drill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The backup that was restored; NULL where none could be.
  label text,
  -- The place up to which it was compared with the database; NULL where there was no replica to compare with.
  target pg_lsn,
  -- Seconds from nothing to a server that answers, and from a commit to its being in the archive.
  restore_seconds double precision,
  loss_seconds double precision,
  bytes bigint,
  tables integer NOT NULL,
  rows bigint NOT NULL,
  passed boolean NOT NULL,
  detail text
);
COMMENT ON TABLE audit.backup_drills IS 'Each restore of a backup on trial: what came of it, how long it took';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.backup_drills
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
