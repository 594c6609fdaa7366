-- Lets PgBouncer look up who logs in, and nothing else. For database ms5, by a superuser on the primary; replicas have it
-- by replication. Running it again changes nothing.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pooler') THEN
    CREATE ROLE pooler;
  END IF;
END
$$;
-- It has no password: it logs in by client certificate, which pg_hba.conf asks of it.
ALTER ROLE pooler WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT PASSWORD NULL;

CREATE SCHEMA IF NOT EXISTS pooler;
REVOKE ALL ON SCHEMA pooler FROM PUBLIC;
GRANT USAGE ON SCHEMA pooler TO pooler;

-- pg_authid holds every secret, so only a superuser's function may read it. Those whose login would be worth most are left
-- out, and cannot use the pooler: superusers, replication, who makes roles, and the pooler itself. So are roles that may
-- not log in or are expired, and ones without a SCRAM secret: PostgreSQL would refuse them.
CREATE OR REPLACE FUNCTION pooler.user_lookup(wanted text, OUT usename text, OUT passwd text)
  RETURNS SETOF record
  LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
  -- Nobody's search_path decides what these names mean.
  SET search_path = ''
BEGIN ATOMIC
  SELECT rolname::text, rolpassword
  FROM pg_catalog.pg_authid
  WHERE rolname = wanted
    AND rolcanlogin
    AND NOT rolsuper
    AND NOT rolreplication
    AND NOT rolcreaterole
    AND rolname <> 'pooler'
    AND rolpassword LIKE 'SCRAM-SHA-256$%'
    AND (rolvaliduntil IS NULL OR rolvaliduntil > pg_catalog.now());
END;

REVOKE ALL ON FUNCTION pooler.user_lookup(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pooler.user_lookup(text) TO pooler;
