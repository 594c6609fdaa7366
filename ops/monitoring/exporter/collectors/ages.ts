import { collector } from "../collector";
import { sample } from "../metrics";

interface AgesRow {
  readonly transaction_ids: number;
  readonly multixacts: number;
}

export const ages = collector<AgesRow>({
  name: "ages",
  // 2147483647 is what PostgreSQL says of an id that never ages, as new databases of the embedded build have.
  sql: `
    SELECT coalesce(max(nullif(age(datfrozenxid), 2147483647)), 0)::float8 AS transaction_ids,
           coalesce(max(nullif(mxid_age(datminmxid), 2147483647)), 0)::float8 AS multixacts
      FROM pg_database`,
  samples: (rows) =>
    rows.flatMap(({ transaction_ids, multixacts }) => [
      ...sample("timescaledb_transaction_id_age", {}, transaction_ids),
      ...sample("timescaledb_multixact_age", {}, multixacts),
    ]),
});

interface LoginRow {
  readonly role: string;
  /** Infinite where somebody wrote that it never ends. */
  readonly expiry: number;
}

export const logins = collector<LoginRow>({
  name: "logins",
  sql: `
    SELECT rolname::text AS role, extract(epoch FROM rolvaliduntil)::float8 AS expiry
      FROM pg_roles WHERE rolcanlogin AND rolvaliduntil IS NOT NULL`,
  samples: (rows) =>
    rows.flatMap(({ role, expiry }) =>
      sample("timescaledb_login_expiry_timestamp_seconds", { role }, expiry),
    ),
});
