// What PgBouncer reads. Everything that is no default of PgBouncer 1.24 carries its reason, in the file itself: that is
// where an operator looks.
import { type ClusterAddress, primaryHost, replicaHost } from "./clusterAddress";
import { haproxyAddress, longestWait, poolerDatabases, poolerPaths, poolerPorts } from "./poolerPlaces";
import { type PoolSettings, poolSizes } from "./poolSizes";

/** The role PgBouncer looks passwords up as (poolerAuth.sql), by client certificate. */
export const lookupRole = "pooler";

/** Who may use PgBouncer's console, by password. No role of PostgreSQL's. */
export const consoleRole = "pooler_admin";

/** Who may only look there (SHOW ...): the exporter beside it. */
export const statisticsRole = "pooler_monitor";

/** The database the pools lead to. */
const database = "ms5";

/** PgBouncer reads these at its start only; everything else follows a reload. */
export const restartSettings = [
  "listen_addr = *",
  `listen_port = ${poolerPorts.clients}`,
  "; No socket file: the console is reached through TCP on loopback, see hba.conf.",
  "unix_socket_dir =",
].join("\n");

/** `pgbouncer.ini` of one pod in front of this cluster. */
export function renderPgbouncerIni(pool: PoolSettings, cluster: ClusterAddress): string {
  const sizes = poolSizes(pool);
  const { readWrite, readOnly } = poolerDatabases;
  return `; PgBouncer in front of ${cluster.name}. Made by infra/database/pgbouncerIni.ts: changes here are lost.

[databases]
; HAProxy in this pod listens on loopback and leads to whoever is the primary, or to a replica. The names are in the
; servers' certificate, and /etc/hosts of this pod makes them ${haproxyAddress}: so PgBouncer verifies the server, through HAProxy.
${readWrite} = host=${primaryHost(cluster)} port=${poolerPorts.primary} dbname=${database}
; Read-only on the primary too, which serves reads while no replica is up; short-lived, so that they go back soon.
${readOnly} = host=${replicaHost(cluster)} port=${poolerPorts.replica} dbname=${database} server_lifetime=300 connect_query='SET default_transaction_read_only = on'

[users]
; Looks passwords up, a few at a time; not from the share of those who work.
${lookupRole} = pool_size=${sizes.lookups} reserve_pool_size=0

[pgbouncer]
${restartSettings}

; A server connection belongs to a client for one transaction: hundreds of clients share a few of them.
pool_mode = transaction
; Pinned, since its default was 0 before 1.24: drivers prepare statements, which then work over changing connections.
max_prepared_statements = 200
; JDBC sends it always; PostgreSQL's default since version 12 is what it asks for. Others are refused, not ignored: a
; statement_timeout that silently does nothing is worse than an error.
ignore_startup_parameters = extra_float_digits

; ${pool.serverConnections} connections to a server, shared by ${pool.replicas} poolers. One user never gets all of them.
max_db_connections = ${sizes.connections}
default_pool_size = ${sizes.pool}
reserve_pool_size = ${sizes.reserve}
; Who has waited that long needs the reserve now, not in the 5 s of the default.
reserve_pool_timeout = 1
; Clients cost 40 kB each; they wait for their turn. One user never takes every place.
max_client_conn = ${pool.clientConnections}
max_user_client_connections = ${sizes.userClients}

; Passwords are PostgreSQL's own SCRAM secrets, looked up at each login: no copy that could be out of date.
auth_type = hba
auth_hba_file = ${poolerPaths.hba}
auth_user = ${lookupRole}
auth_query = SELECT usename, passwd FROM pooler.user_lookup($1)
; Holds the console's users only.
auth_file = ${poolerPaths.users}
admin_users = ${consoleRole}
stats_users = ${statisticsRole}

; Nobody speaks in the clear, to us or to the servers.
client_tls_sslmode = require
client_tls_cert_file = ${poolerPaths.serverCertificate}
client_tls_key_file = ${poolerPaths.serverKey}
; Clients need no certificate; but without this line PgBouncer loads the system's authorities, and ends where there are none.
client_tls_ca_file = ${poolerPaths.ca}
server_tls_sslmode = verify-full
server_tls_ca_file = ${poolerPaths.ca}
; How ${lookupRole} logs in; servers ask nobody else for a certificate.
server_tls_cert_file = ${poolerPaths.clientCertificate}
server_tls_key_file = ${poolerPaths.clientKey}

; HAProxy keeps a new connection waiting until there is a primary, so a failover is a wait and no failed login: after one,
; PgBouncer turns clients away until the next has succeeded. Ends with the wait of the clients.
server_connect_timeout = ${longestWait}
; When a login did fail, 15 s would be most of a failover.
server_login_retry = 0.2
; A failover takes seconds. Whoever has waited longer is better told, and tries again.
query_wait_timeout = ${longestWait}
; The names are in /etc/hosts. Never be the last to learn otherwise.
dns_max_ttl = 1
dns_nxdomain_ttl = 1

; A forgotten transaction holds a server connection, and keeps vacuum from its work.
idle_transaction_timeout = 300

; Clients whose node is gone: found after about 30 s of silence, or 15 s of unanswered data.
tcp_keepidle = 15
tcp_keepintvl = 5
tcp_keepcnt = 3
tcp_user_timeout = 15000

; Applications come and go all the time; failures are logged.
log_connections = 0
log_disconnections = 0
`;
}

/** Who may log in where, and how. Read from top to bottom; what no line allows is refused. */
export function renderPgbouncerHba(): string {
  const databases = Object.values(poolerDatabases).join(",");
  return `# Who may log in to PgBouncer. Made by infra/database/pgbouncerIni.ts.
# The console (PAUSE, RESUME, SHOW ...) from inside the pod only: kubectl port-forward ends there.
hostssl  pgbouncer   ${consoleRole}  127.0.0.1/32  scram-sha-256
hostssl  pgbouncer   ${consoleRole}  ::1/128       scram-sha-256
hostssl  all         ${consoleRole}  all           reject
# Whoever may only look there, from inside the pod too.
hostssl  pgbouncer   ${statisticsRole}  127.0.0.1/32  scram-sha-256
hostssl  all         ${statisticsRole}  all         reject
# PgBouncer's own role, for lookups: nobody's login.
hostssl  all         ${lookupRole}        all           reject
hostssl  ${databases}  all           all           scram-sha-256
`;
}
