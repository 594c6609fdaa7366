/** What the config says of the pooler. */
export interface PoolSettings {
  /** Pods of it. */
  readonly replicas: number;
  /** Connections to one PostgreSQL server that all of them may hold together, 50 to 100. */
  readonly serverConnections: number;
  /** Clients that one of them takes at a time. */
  readonly clientConnections: number;
}

/** One pod's share, for each of its databases: `ms5`, whose server is the primary, and `ms5_ro`, whose are replicas. */
export interface PoolSizes {
  /** Connections to the server, of all users together. */
  readonly connections: number;
  /** Those that one user has at once. */
  readonly pool: number;
  /** Those that one user may have beyond that, for clients who have waited. */
  readonly reserve: number;
  /** Those for looking up who logs in, out of the above. */
  readonly lookups: number;
  /** Those to the primary for reading, while no replica is up: beyond `connections`. */
  readonly fallback: number;
  /** Clients that one user may have. */
  readonly userClients: number;
}

export interface PoolProblem {
  readonly problem: string;
  readonly fix: string;
}

/** Below this a pod has nothing left to divide between users. */
const leastConnections = 5;

/**
 * A fifth of the connections is never one user's: a program that leaks transactions leaves the others running. The
 * same for clients, and for the primary when reads come to it.
 */
export function poolSizes({ replicas, serverConnections, clientConnections }: PoolSettings): PoolSizes {
  const connections = Math.floor(serverConnections / replicas);
  const fifth = Math.max(1, Math.floor(connections / 5));
  return {
    connections,
    pool: Math.max(1, connections - 2 * fifth),
    reserve: fifth,
    lookups: 2,
    fallback: fifth,
    userClients: Math.ceil(clientConnections * 0.8),
  };
}

/**
 * Connections of PostgreSQL that the pooler can come to hold on one server: every share used up, reads on the primary
 * because no replica is up, and one pod more than usual, as while they are replaced one by one.
 */
export function mostServerConnections(pool: PoolSettings): number {
  const { connections, fallback } = poolSizes(pool);
  return (pool.replicas + 1) * (connections + fallback);
}

/**
 * Why these pools don't work with that server; empty when they do.
 *
 * @param server.reserved connections that are not for the pooler: superusers', Patroni's, monitoring's, the program's own
 */
export function poolProblems(
  pool: PoolSettings,
  server: { readonly maxConnections: number; readonly reserved: number },
): PoolProblem[] {
  const { connections } = poolSizes(pool);
  if (connections < leastConnections) {
    return [
      {
        problem: `${pool.serverConnections} server connections are ${connections} for each of ${pool.replicas} poolers`,
        fix: `give each at least ${leastConnections}: raise the server connections to ${pool.replicas * leastConnections}, or take fewer poolers`,
      },
    ];
  }
  const most = mostServerConnections(pool);
  const free = server.maxConnections - server.reserved;
  if (most <= free) return [];
  return [
    {
      problem:
        `the poolers can come to hold ${most} connections to one server (${pool.serverConnections} shared by ` +
        `${pool.replicas} pods, one pod more while they are replaced, and reads when no replica is up), and ` +
        `max_connections ${server.maxConnections} leaves ${Math.max(0, free)} beside ${server.reserved} reserved ones`,
      fix: `raise max_connections to ${most + server.reserved}, or lower the server connections`,
    },
  ];
}
