/** Owns schemas, tables and policy jobs. It may log in, because TimescaleDB runs a job only for a role that may; it has
 * no password, so nobody does. */
export const ownerRole = "ms5_owner";

/** Roles people and programs log in with. */
export const loginRoles = {
  /** Applies migrations: acts as the owner. */
  migrator: "ms5_migrator",
  /** Writes telemetry and reference data; deletes nothing. */
  writer: "ms5_writer",
  /** Reads everything in the telemetry schema; writes nothing. */
  reader: "ms5_reader",
  /** Reads the server's statistics; sees no telemetry. */
  monitor: "ms5_monitor",
} as const;
export type LoginRole = keyof typeof loginRoles;
