// Where things are inside a pooler's pod: what PgBouncer's and HAProxy's configs and the pod have to agree on.

export const poolerPorts = {
  /** PgBouncer, for clients. */
  clients: 6432,
  /** pgbouncer_exporter, where something watches. */
  exporter: 9127,
  /** HAProxy on loopback: whoever is the primary. */
  primary: 5000,
  /** HAProxy on loopback: a replica; the primary when none is up. */
  replica: 5001,
  /** The members' own: PostgreSQL and the health answers of their agent. */
  postgres: 5432,
  agent: 8009,
} as const;

/**
 * Where HAProxy listens. Not 127.0.0.1: PgBouncer's resolver takes all names of one address in /etc/hosts for one host, and
 * would find localhost's ::1.
 */
export const haproxyAddress = "127.0.0.2";

/** Mount points. Each is one ConfigMap or Secret, which change in place. */
export const poolerMounts = { config: "/pooler/config", tls: "/pooler/tls", users: "/pooler/users" } as const;

export const poolerFiles = {
  pgbouncerIni: "pgbouncer.ini",
  hba: "hba.conf",
  haproxyCfg: "haproxy.cfg",
  hold: "hold.lua",
  run: "run.sh",
  ca: "ca.pem",
  users: "userlist.txt",
  serverCertificate: "server.crt",
  serverKey: "server.key",
  clientCertificate: "client.crt",
  clientKey: "client.key",
} as const;

export const poolerPaths = {
  pgbouncerIni: `${poolerMounts.config}/${poolerFiles.pgbouncerIni}`,
  hba: `${poolerMounts.config}/${poolerFiles.hba}`,
  haproxyCfg: `${poolerMounts.config}/${poolerFiles.haproxyCfg}`,
  hold: `${poolerMounts.config}/${poolerFiles.hold}`,
  run: `${poolerMounts.config}/${poolerFiles.run}`,
  ca: `${poolerMounts.config}/${poolerFiles.ca}`,
  users: `${poolerMounts.users}/${poolerFiles.users}`,
  serverCertificate: `${poolerMounts.tls}/${poolerFiles.serverCertificate}`,
  serverKey: `${poolerMounts.tls}/${poolerFiles.serverKey}`,
  clientCertificate: `${poolerMounts.tls}/${poolerFiles.clientCertificate}`,
  clientKey: `${poolerMounts.tls}/${poolerFiles.clientKey}`,
} as const;

/** Databases that clients name. */
export const poolerDatabases = { readWrite: "ms5", readOnly: "ms5_ro" } as const;

/** Seconds a client waits for a server: what a failover may take, and a pause of an operator's. */
export const longestWait = 30;
