// What HAProxy reads, next to PgBouncer in the same pod: it knows which member is the primary, and cuts connections to
// one that is not any more. PgBouncer alone would keep them until the server's kernel tells it.
import { type ClusterAddress, memberHosts } from "./clusterAddress";
import { haproxyAddress, longestWait, poolerPaths, poolerPorts } from "./poolerPlaces";
import { type PoolSettings, poolSizes } from "./poolSizes";

/** `haproxy.cfg` of one pod in front of this cluster. */
export function renderHaproxyCfg(pool: PoolSettings, cluster: ClusterAddress): string {
  const members = membersOf(cluster);
  const server = ({ name, host }: Member) => `server ${name} ${host}:${poolerPorts.postgres}`;
  const checked = (member: Member) => `${server(member)} verifyhost ${member.host} check-sni ${member.host}`;
  const use = ({ name }: Member) => `use-server ${name} if { var(txn.primary) -m str ${name} }`;
  const lines = (line: (member: Member) => string) =>
    members.map((member) => `    ${line(member)}`).join("\n");
  return `# HAProxy between PgBouncer and the members of ${cluster.name}. Made by infra/database/haproxyCfg.ts: changes here are lost.

global
    # Without it HAProxy takes memory for as many connections as the container may open files: up to gigabytes.
    maxconn ${haproxyConnections}
    # PgBouncer has one thread, and more are only more to keep in step.
    nbthread 1
    # hold.lua, and how it asks a member.
    lua-load ${poolerPaths.hold}
    httpclient.resolvers.id cluster
    httpclient.resolvers.prefer ipv4
    httpclient.ssl.verify required
    httpclient.ssl.ca-file ${poolerPaths.ca}
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
    timeout queue ${longestWait}s
    # A member is left after four wrong answers or none, and taken after one right one: one that says it is not the primary
    # is left within a second, one that says nothing within three. So a busy agent costs nobody a connection, and a member
    # whose node is gone is left before another is promoted. New connections don't wait for that (hold.lua).
    default-server check port ${poolerPorts.agent} check-ssl verify required ca-file ${poolerPaths.ca} inter 500ms fastinter 100ms downinter 200ms fall 4 rise 1 on-marked-down shutdown-sessions resolvers cluster resolve-prefer ipv4 init-addr none

frontend read_write
    bind ${haproxyAddress}:${poolerPorts.primary}
    # Without a primary, connections wait (hold.lua): refused ones are failed logins to PgBouncer.
    tcp-request inspect-delay ${longestWait + 5}s
    tcp-request content lua.hold_for_primary
    default_backend primary

frontend read_only
    bind ${haproxyAddress}:${poolerPorts.replica}
    tcp-request inspect-delay ${longestWait + 5}s
    tcp-request content lua.hold_for_reads
    use_backend replica if { nbsrv(replica) gt 0 }
    default_backend primary_for_reads

# Asks who is the primary, and leads nowhere.
backend members
    option httpchk GET /primary
    http-check expect status 200
${lines(checked)}

backend primary
    # A server that refuses is asked again after 200 ms, or at once another one that is up by then: for 20 s.
    timeout connect 200ms
    retries 100
    option redispatch 1
${lines((member) => `${server(member)} no-check track members/${member.name}`)}
${lines(use)}

backend replica
    balance leastconn
    option httpchk GET /replica
    http-check expect status 200
    # Reads wait for nobody's promotion: half the questions.
    default-server inter 1s fastinter 500ms downinter 500ms
${lines(checked)}

# While no replica is up. Few at a time: the primary has its own work, and the others wait in line.
backend primary_for_reads
${lines((member) => `${server(member)} no-check track members/${member.name} maxconn ${poolSizes(pool).fallback}`)}
${lines(use)}
`;
}

interface Member {
  readonly name: string;
  readonly host: string;
}

function membersOf(cluster: ClusterAddress): Member[] {
  return memberHosts(cluster).map((host, index) => ({ name: `${cluster.name}-${index}`, host }));
}

/** More than PgBouncer ever opens: two for each of its connections to servers, and those that wait. */
const haproxyConnections = 1000;

/** `hold.lua`: keeps a new connection until there is a server for it. */
export function renderHold(cluster: ClusterAddress): string {
  const urls = membersOf(cluster).map(
    ({ name, host }) => `  ["${name}"] = "https://${host}:${poolerPorts.agent}/primary",`,
  );
  return `-- Keeps a new connection waiting until there is a server for it. Made by infra/database/haproxyCfg.ts.
local longest = ${longestWait}
local questions = {
${urls.join("\n")}
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
`;
}
