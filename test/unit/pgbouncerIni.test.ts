import { describe, expect, it } from "vitest";
import { renderPgbouncerHba, renderPgbouncerIni } from "../../infra/database/pgbouncerIni";

const blue = { name: "blue", namespace: "ms5-database", members: 3 };
const pool = { replicas: 2, serverConnections: 50, clientConnections: 1_000 };

describe("what PgBouncer reads", () => {
  it("is this, whole", () => {
    expect(renderPgbouncerIni(pool, blue)).toMatchInlineSnapshot(`
      "; PgBouncer in front of blue. Made by infra/database/pgbouncerIni.ts: changes here are lost.

      [databases]
      ; HAProxy in this pod listens on loopback and leads to whoever is the primary, or to a replica. The names are in the
      ; servers' certificate, and /etc/hosts of this pod makes them 127.0.0.2: so PgBouncer verifies the server, through HAProxy.
      ms5 = host=blue-primary.ms5-database.svc port=5000 dbname=ms5
      ; Read-only on the primary too, which serves reads while no replica is up; short-lived, so that they go back soon.
      ms5_ro = host=blue-replica.ms5-database.svc port=5001 dbname=ms5 server_lifetime=300 connect_query='SET default_transaction_read_only = on'

      [users]
      ; Looks passwords up, a few at a time; not from the share of those who work.
      pooler = pool_size=2 reserve_pool_size=0

      [pgbouncer]
      listen_addr = *
      listen_port = 6432
      ; No socket file: the console is reached through TCP on loopback, see hba.conf.
      unix_socket_dir =

      ; A server connection belongs to a client for one transaction: hundreds of clients share a few of them.
      pool_mode = transaction
      ; Pinned, since its default was 0 before 1.24: drivers prepare statements, which then work over changing connections.
      max_prepared_statements = 200
      ; JDBC sends it always; PostgreSQL's default since version 12 is what it asks for. Others are refused, not ignored: a
      ; statement_timeout that silently does nothing is worse than an error.
      ignore_startup_parameters = extra_float_digits

      ; 50 connections to a server, shared by 2 poolers. One user never gets all of them.
      max_db_connections = 25
      default_pool_size = 15
      reserve_pool_size = 5
      ; Who has waited that long needs the reserve now, not in the 5 s of the default.
      reserve_pool_timeout = 1
      ; Clients cost 40 kB each; they wait for their turn. One user never takes every place.
      max_client_conn = 1000
      max_user_client_connections = 800

      ; Passwords are PostgreSQL's own SCRAM secrets, looked up at each login: no copy that could be out of date.
      auth_type = hba
      auth_hba_file = /pooler/config/hba.conf
      auth_user = pooler
      auth_query = SELECT usename, passwd FROM pooler.user_lookup($1)
      ; Holds the console's users only.
      auth_file = /pooler/users/userlist.txt
      admin_users = pooler_admin
      stats_users = pooler_monitor

      ; Nobody speaks in the clear, to us or to the servers.
      client_tls_sslmode = require
      client_tls_cert_file = /pooler/tls/server.crt
      client_tls_key_file = /pooler/tls/server.key
      ; Clients need no certificate; but without this line PgBouncer loads the system's authorities, and ends where there are none.
      client_tls_ca_file = /pooler/config/ca.pem
      server_tls_sslmode = verify-full
      server_tls_ca_file = /pooler/config/ca.pem
      ; How pooler logs in; servers ask nobody else for a certificate.
      server_tls_cert_file = /pooler/tls/client.crt
      server_tls_key_file = /pooler/tls/client.key

      ; HAProxy keeps a new connection waiting until there is a primary, so a failover is a wait and no failed login: after one,
      ; PgBouncer turns clients away until the next has succeeded. Ends with the wait of the clients.
      server_connect_timeout = 30
      ; When a login did fail, 15 s would be most of a failover.
      server_login_retry = 0.2
      ; A failover takes seconds. Whoever has waited longer is better told, and tries again.
      query_wait_timeout = 30
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
      "
    `);
  });

  it("says each setting once", () => {
    const names = [...renderPgbouncerIni(pool, blue).matchAll(/^(\w+) =/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("follows the pool and the cluster", () => {
    const ini = renderPgbouncerIni(
      { replicas: 4, serverConnections: 100, clientConnections: 200 },
      { ...blue, name: "green" },
    );
    expect(ini).toMatch(/^max_db_connections = 25$/m);
    expect(ini).toMatch(/^max_client_conn = 200$/m);
    expect(ini).toMatch(/^max_user_client_connections = 160$/m);
    expect(ini).toMatch(/^ms5 = host=green-primary\.ms5-database\.svc port=5000 /m);
  });

  it("lets in, and keeps out, by these lines", () => {
    expect(renderPgbouncerHba()).toMatchInlineSnapshot(`
      "# Who may log in to PgBouncer. Made by infra/database/pgbouncerIni.ts.
      # The console (PAUSE, RESUME, SHOW ...) from inside the pod only: kubectl port-forward ends there.
      hostssl  pgbouncer   pooler_admin  127.0.0.1/32  scram-sha-256
      hostssl  pgbouncer   pooler_admin  ::1/128       scram-sha-256
      hostssl  all         pooler_admin  all           reject
      # Whoever may only look there, from inside the pod too.
      hostssl  pgbouncer   pooler_monitor  127.0.0.1/32  scram-sha-256
      hostssl  all         pooler_monitor  all         reject
      # PgBouncer's own role, for lookups: nobody's login.
      hostssl  all         pooler        all           reject
      hostssl  ms5,ms5_ro  all           all           scram-sha-256
      "
    `);
  });
});
