// What Patroni reads: patroni.yml of every member, and the settings that hold for the whole cluster, which the agent on
// the primary puts into Patroni's store whenever they differ. Every value that is no default carries its reason.

import type { RestoreTarget } from "./backups/target";
import type { ClusterAddress } from "./clusterAddress";
import { pgHba, pgIdent } from "./pgHba";

/** Where things are in a database pod; infra/database/agent/settings.py has the same. */
export const podPaths = {
  data: "/data",
  pgdata: "/data/pgdata",
  wal: "/wal",
  run: "/run/ms5",
  socket: "/run/postgresql",
  ca: "/tls/ca",
  serverTls: "/tls/server",
  robotTls: "/tls/robots",
  credentials: "/credentials",
  settings: "/ms5/settings",
  agent: "/ms5/agent",
} as const;

/** Seconds between two rounds of Patroni's: each renews the lock, which is one small write to the API server. */
const loopWait = 1;
/** Patroni allows no less. The agents release the lock of a primary that is gone long before it expires. */
const ttl = 20;
/** Patroni allows no less. How long the API server may be silent before Patroni asks the other members instead. */
const retryTimeout = 3;

export type Parameters = Readonly<Record<string, string | number>>;

export interface PatroniArgs {
  readonly cluster: ClusterAddress;
  readonly database: string;
  readonly admin: string;
  readonly podNetwork: string;
  /** PostgreSQL's, over {@link fixedParameters}. */
  readonly parameters: Parameters;
  /** How a cluster without data begins; undefined: empty. */
  readonly recover?: { readonly target: RestoreTarget } | undefined;
}

/** patroni.yml: what a member has to know before it can look into the store. A JSON text, which is YAML too. */
export function patroniConfig({
  cluster,
  database,
  admin,
  podNetwork,
  parameters,
  recover,
}: PatroniArgs): object {
  const robot = (name: string, key = `${podPaths.robotTls}/${name}.key`) => ({
    username: name,
    sslmode: "verify-full",
    sslrootcert: `${podPaths.ca}/ca.pem`,
    sslcert: `${podPaths.robotTls}/${name}.crt`,
    sslkey: key,
  });
  return {
    scope: cluster.name,
    log: { level: "INFO", format: "%(asctime)s %(levelname)s: %(message)s" },
    kubernetes: {
      namespace: cluster.namespace,
      labels: { "app.kubernetes.io/name": "database" },
      scope_label: "ms5.io/cluster",
      // Endpoints as a store are deprecated since Kubernetes 1.33.
      use_endpoints: false,
      leader_label_value: "primary",
      // A standby cluster's leader takes no writes: its default label would let the primary's Service find it.
      standby_leader_label_value: "standby_leader",
    },
    restapi: {
      listen: "0.0.0.0:8008",
      certfile: `${podPaths.serverTls}/tls.crt`,
      keyfile: `${podPaths.serverTls}/tls.key`,
      cafile: `${podPaths.ca}/ca.pem`,
      // Whoever changes something has to show a certificate of ours; reading is for everyone who gets here.
      verify_client: "optional",
    },
    ctl: {
      cacert: `${podPaths.ca}/ca.pem`,
      certfile: `${podPaths.robotTls}/patroni.crt`,
      keyfile: `${podPaths.robotTls}/patroni.key`,
    },
    bootstrap: {
      // In the store from the first start on; later changes get there by the agent on the primary.
      dcs: clusterConfig(parameters),
      ...(recover && fromBackups(recover.target)),
      initdb: [
        { encoding: "UTF8" },
        { "locale-provider": "builtin" },
        { "builtin-locale": "C.UTF-8" },
        { locale: "C.UTF-8" },
        // pg_rewind needs it or checksums; these find bad disks too.
        "data-checksums",
        { waldir: `${podPaths.wal}/pg_wal` },
        // MB, instead of 16: after a promotion replicas stream the current segment anew, twice, before a write is acknowledged.
        { "wal-segsize": "4" },
        { "auth-local": "peer" },
        { "auth-host": "scram-sha-256" },
      ],
    },
    postgresql: {
      listen: "0.0.0.0:5432",
      data_dir: podPaths.pgdata,
      bin_dir: "/usr/lib/postgresql/17/bin",
      pgpass: `${podPaths.run}/pgpass`,
      // As the superuser only through the socket, where the operating system vouches for whoever asks.
      use_unix_socket: true,
      use_unix_socket_repl: true,
      authentication: {
        superuser: { username: "postgres" },
        // The agent's fence puts the key there and takes it away: infra/database/agent/fence.py.
        replication: robot("replicator", `${podPaths.run}/replicator.key`),
        rewind: robot("rewind"),
      },
      basebackup: [{ checkpoint: "fast" }, { waldir: `${podPaths.wal}/pg_wal` }],
      parameters: { unix_socket_directories: podPaths.socket },
      pg_hba: pgHba({ database, admin, podNetwork }),
      pg_ident: pgIdent,
    },
  };
}

/** Patroni's custom bootstrap: the first member restores, and is the primary when PostgreSQL has recovered to the target. */
function fromBackups(target: RestoreTarget): object {
  return {
    method: "backups",
    backups: {
      command: `python3 ${podPaths.agent}/bootstrap.py '${JSON.stringify(target)}'`,
      // pgBackRest has written where recovery goes.
      keep_existing_recovery_conf: true,
      no_params: true,
    },
  };
}

/** Patroni's dynamic configuration: one for the cluster. */
function clusterConfig(parameters: Parameters): object {
  return {
    ttl,
    loop_wait: loopWait,
    retry_timeout: retryTimeout,
    // An acknowledged write is on the primary and on at least one replica, always: without one, writes wait.
    synchronous_mode: "quorum",
    synchronous_mode_strict: true,
    synchronous_node_count: 1,
    // The API server's absence is no reason to stop: the members vouch for the primary among themselves.
    failsafe_mode: true,
    // The default of 300 s waits for a crashed primary to come back; a replica is ready at once.
    primary_start_timeout: 0,
    primary_stop_timeout: 30,
    // Bytes a replica may lag and still be promoted; by quorum commit it lacks nothing acknowledged.
    maximum_lag_on_failover: 16 * 2 ** 20,
    check_timeline: true,
    postgresql: {
      // A former primary comes back without copying everything.
      use_pg_rewind: true,
      use_slots: true,
      parameters: { ...fixedParameters, ...parameters },
    },
  };
}

/** What does not depend on the pod's size. */
export const fixedParameters: Parameters = {
  ssl: "on",
  ssl_cert_file: `${podPaths.serverTls}/tls.crt`,
  ssl_key_file: `${podPaths.serverTls}/tls.key`,
  ssl_ca_file: `${podPaths.ca}/ca.pem`,
  ssl_min_protocol_version: "TLSv1.2",
  password_encryption: "scram-sha-256",
  shared_preload_libraries: "timescaledb,pgaudit",
  "timescaledb.telemetry_level": "off",
  "pgaudit.log": "ddl, role",
  wal_log_hints: "on",
  // The default of 5 s would be most of a failover.
  wal_retrieve_retry_interval: "200ms",
  // A network that swallows packets must not hold a session for the kernel's quarter of an hour.
  wal_sender_timeout: "5s",
  wal_receiver_timeout: "5s",
  tcp_keepalives_idle: "5",
  tcp_keepalives_interval: "2",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "10s",
  // While writes wait for a replica, those of clients that have given up keep their connections: the ones below must get in.
  reserved_connections: "5",
  log_line_prefix: "%m [%p] %u@%d ",
  log_lock_waits: "on",
  // Compiling costs more than it saves on queries over many small chunks (timescaledb-tune).
  jit: "off",
  default_toast_compression: "lz4",
  log_min_duration_statement: "1s",
  // Values of failed statements may be anybody's secrets.
  log_parameter_max_length_on_error: "0",
};
