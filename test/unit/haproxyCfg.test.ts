import { describe, expect, it } from "vitest";
import { renderHaproxyCfg, renderHold } from "../../infra/database/haproxyCfg";

const blue = { name: "blue", namespace: "ms5-database", members: 3 };
const pool = { replicas: 2, serverConnections: 50, clientConnections: 1_000 };

describe("what HAProxy reads", () => {
  it("is this, whole", () => {
    expect(renderHaproxyCfg(pool, blue)).toMatchInlineSnapshot(`
      "# HAProxy between PgBouncer and the members of blue. Made by infra/database/haproxyCfg.ts: changes here are lost.

      global
          # Without it HAProxy takes memory for as many connections as the container may open files: up to gigabytes.
          maxconn 1000
          # PgBouncer has one thread, and more are only more to keep in step.
          nbthread 1
          # hold.lua, and how it asks a member.
          lua-load /pooler/config/hold.lua
          httpclient.resolvers.id cluster
          httpclient.resolvers.prefer ipv4
          httpclient.ssl.verify required
          httpclient.ssl.ca-file /pooler/config/ca.pem
          httpclient.retries 0
          httpclient.timeout.connect 500ms

      # Pods keep their names and change their addresses.
      resolvers cluster
          parse-resolv-conf
          timeout resolve 1s
          timeout retry 500ms
          hold valid 1s
          # A DNS that is away must not take the database away: checks tell whether an address is still right.
          hold nx 1h
          hold other 1h
          hold refused 1h
          hold timeout 1h

      defaults
          mode tcp
          # PgBouncer tells how long connections and queries live.
          timeout client 24d
          timeout server 24d
          # Of a connection; and, for want of one of their own, of a health check with its handshake.
          timeout connect 500ms
          timeout check 1s
          timeout queue 30s
          # A member is left after four wrong answers or none, and taken after one right one: one that says it is not the primary
          # is left within a second, one that says nothing within three. So a busy agent costs nobody a connection, and a member
          # whose node is gone is left before another is promoted. New connections don't wait for that (hold.lua).
          default-server check port 8009 check-ssl verify required ca-file /pooler/config/ca.pem inter 500ms fastinter 100ms downinter 200ms fall 4 rise 1 on-marked-down shutdown-sessions resolvers cluster resolve-prefer ipv4 init-addr none

      frontend read_write
          bind 127.0.0.2:5000
          # Without a primary, connections wait (hold.lua): refused ones are failed logins to PgBouncer.
          tcp-request inspect-delay 35s
          tcp-request content lua.hold_for_primary
          default_backend primary

      frontend read_only
          bind 127.0.0.2:5001
          tcp-request inspect-delay 35s
          tcp-request content lua.hold_for_reads
          use_backend replica if { nbsrv(replica) gt 0 }
          default_backend primary_for_reads

      # Asks who is the primary, and leads nowhere.
      backend members
          option httpchk GET /primary
          http-check expect status 200
          server blue-0 blue-0.blue-members.ms5-database.svc.cluster.local:5432 verifyhost blue-0.blue-members.ms5-database.svc.cluster.local check-sni blue-0.blue-members.ms5-database.svc.cluster.local
          server blue-1 blue-1.blue-members.ms5-database.svc.cluster.local:5432 verifyhost blue-1.blue-members.ms5-database.svc.cluster.local check-sni blue-1.blue-members.ms5-database.svc.cluster.local
          server blue-2 blue-2.blue-members.ms5-database.svc.cluster.local:5432 verifyhost blue-2.blue-members.ms5-database.svc.cluster.local check-sni blue-2.blue-members.ms5-database.svc.cluster.local

      backend primary
          # A server that refuses is asked again after 200 ms, or at once another one that is up by then: for 20 s.
          timeout connect 200ms
          retries 100
          option redispatch 1
          server blue-0 blue-0.blue-members.ms5-database.svc.cluster.local:5432 no-check track members/blue-0
          server blue-1 blue-1.blue-members.ms5-database.svc.cluster.local:5432 no-check track members/blue-1
          server blue-2 blue-2.blue-members.ms5-database.svc.cluster.local:5432 no-check track members/blue-2
          use-server blue-0 if { var(txn.primary) -m str blue-0 }
          use-server blue-1 if { var(txn.primary) -m str blue-1 }
          use-server blue-2 if { var(txn.primary) -m str blue-2 }

      backend replica
          balance leastconn
          option httpchk GET /replica
          http-check expect status 200
          # Reads wait for nobody's promotion: half the questions.
          default-server inter 1s fastinter 500ms downinter 500ms
          server blue-0 blue-0.blue-members.ms5-database.svc.cluster.local:5432 verifyhost blue-0.blue-members.ms5-database.svc.cluster.local check-sni blue-0.blue-members.ms5-database.svc.cluster.local
          server blue-1 blue-1.blue-members.ms5-database.svc.cluster.local:5432 verifyhost blue-1.blue-members.ms5-database.svc.cluster.local check-sni blue-1.blue-members.ms5-database.svc.cluster.local
          server blue-2 blue-2.blue-members.ms5-database.svc.cluster.local:5432 verifyhost blue-2.blue-members.ms5-database.svc.cluster.local check-sni blue-2.blue-members.ms5-database.svc.cluster.local

      # While no replica is up. Few at a time: the primary has its own work, and the others wait in line.
      backend primary_for_reads
          server blue-0 blue-0.blue-members.ms5-database.svc.cluster.local:5432 no-check track members/blue-0 maxconn 5
          server blue-1 blue-1.blue-members.ms5-database.svc.cluster.local:5432 no-check track members/blue-1 maxconn 5
          server blue-2 blue-2.blue-members.ms5-database.svc.cluster.local:5432 no-check track members/blue-2 maxconn 5
          use-server blue-0 if { var(txn.primary) -m str blue-0 }
          use-server blue-1 if { var(txn.primary) -m str blue-1 }
          use-server blue-2 if { var(txn.primary) -m str blue-2 }
      "
    `);
  });

  it("and this, for connections that wait", () => {
    expect(renderHold(blue)).toMatchInlineSnapshot(`
      "-- Keeps a new connection waiting until there is a server for it. Made by infra/database/haproxyCfg.ts.
      local longest = 30
      local questions = {
        ["blue-0"] = "https://blue-0.blue-members.ms5-database.svc.cluster.local:8009/primary",
        ["blue-1"] = "https://blue-1.blue-members.ms5-database.svc.cluster.local:8009/primary",
        ["blue-2"] = "https://blue-2.blue-members.ms5-database.svc.cluster.local:8009/primary",
      }

      -- Milliseconds that an answer is good for everybody who waits, and that one may take.
      local fresh, patience = 50, 500
      local answers = {}

      local function milliseconds()
        local now = core.now()
        return now.sec * 1000 + now.usec / 1000
      end

      local function is_primary(name)
        local answer = answers[name]
        if not answer or milliseconds() - answer.at > (answer.awaited and patience or fresh) then
          answer = { at = milliseconds(), awaited = true, yes = false }
          answers[name] = answer
          local response = core.httpclient():get({ url = questions[name], timeout = patience })
          answer.at, answer.awaited, answer.yes = milliseconds(), false, response ~= nil and response.status == 200
        end
        return answer.yes
      end

      -- Finds the one member that is up and says now, too, that it is the primary: the last check may be half a second old, and a
      -- switchover takes no longer. Keeps its name for the backend's use-server.
      local function find_primary(txn)
        local found
        for name, server in pairs(core.backends["members"].servers) do
          if string.sub(server:get_stats().status, 1, 2) == "UP" and is_primary(name) then
            -- Two that say so: it is not for us to choose.
            if found then return false end
            found = name
          end
        end
        if found then txn:set_var("txn.primary", found) end
        return found ~= nil
      end

      local function hold(ready)
        return function(txn)
          local deadline = os.time() + longest
          while not ready(txn) do
            if os.time() >= deadline then return end
            core.msleep(10)
          end
        end
      end

      core.register_action("hold_for_primary", { "tcp-req" }, hold(find_primary))
      -- Reading is right wherever it gets to; without a replica it gets to the primary.
      core.register_action("hold_for_reads", { "tcp-req" }, hold(function(txn)
        return tonumber(txn.f:nbsrv("replica")) > 0 or find_primary(txn)
      end))
      "
    `);
  });

  it("has each member of the cluster in each backend, and nobody else", () => {
    const members = (cfg: string) => [...cfg.matchAll(/^ {4}server (\S+) /gm)].map(([, name]) => name);
    expect(members(renderHaproxyCfg(pool, { ...blue, members: 2 }))).toEqual([
      ...["blue-0", "blue-1"],
      ...["blue-0", "blue-1"],
      ...["blue-0", "blue-1"],
      ...["blue-0", "blue-1"],
    ]);
    expect(members(renderHaproxyCfg(pool, { ...blue, members: 5 }))).toHaveLength(20);
  });

  it("leads each of PgBouncer's two ports somewhere", () => {
    const cfg = renderHaproxyCfg(pool, blue);
    expect([...cfg.matchAll(/^ {4}bind \S+:(\d+)$/gm)].map(([, port]) => port)).toEqual(["5000", "5001"]);
    const named = [...cfg.matchAll(/^ {4}(?:default|use)_backend (\w+)/gm)].map(([, name]) => name);
    expect(named).toEqual(["primary", "replica", "primary_for_reads"]);
    for (const name of named) expect(cfg).toMatch(new RegExp(`^backend ${name}$`, "m"));
  });

  it("knows the same backends and actions in both files", () => {
    const cfg = renderHaproxyCfg(pool, blue);
    const lua = renderHold(blue);
    for (const [, action] of cfg.matchAll(/lua\.(\w+)/g))
      expect(lua).toContain(`register_action("${action}"`);
    for (const [, backend] of lua.matchAll(/(?:backends\[|nbsrv\()"(\w+)"/g)) {
      expect(cfg).toMatch(new RegExp(`^backend ${backend}$`, "m"));
    }
  });
});
