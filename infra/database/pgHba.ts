// Who may log in from where, and how: the first line that fits decides, and nothing fits by accident.

export interface HbaArgs {
  readonly database: string;
  /** Role of the program and of database engineers: only through a port-forward, which ends inside the pod. */
  readonly admin: string;
  /** CIDR of the cluster's pods. */
  readonly podNetwork: string;
}

/** The lines of pg_hba.conf. `cert`: the client's certificate must name the role. */
export function pgHba({ database, admin, podNetwork }: HbaArgs): string[] {
  return [
    // Inside the pod, where the operating system says who asks.
    "local all postgres peer",
    "local replication replicator peer map=robots",
    // The superuser never comes over the network.
    "host all postgres all reject",
    // Members among themselves. A returning primary streams from whoever has its place.
    `hostssl replication replicator ${podNetwork} cert`,
    `hostssl postgres rewind ${podNetwork} cert`,
    // PgBouncer asks for the secrets of those it lets in.
    `hostssl ${database} pooler ${podNetwork} cert`,
    "host all replicator,rewind,pooler all reject",
    "host replication all all reject",
    // The program, and database engineers: a port-forward ends at the pod's loopback.
    `hostssl ${database},postgres ${admin} 127.0.0.1/32 scram-sha-256`,
    `host all ${admin} all reject`,
    "hostssl all all 127.0.0.1/32 scram-sha-256",
    // Applications and people, through the pooler or not.
    `hostssl ${database} all ${podNetwork} scram-sha-256`,
    "host all all all reject",
  ];
}

/** Patroni runs as the operating system's postgres and asks for timelines as the replicator. */
export const pgIdent = ["robots postgres replicator"];
