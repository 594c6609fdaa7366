/** The faults: what each does, and what is measured of it. */

/** What is measured of a fault. */
export type Measure =
  /** From the fault to the first write that another primary acknowledged; `gap` where none took over. */
  | "takeover"
  /** The longest time without an acknowledged write, from the fault until the cluster is whole again. */
  | "gap"
  /** From the moment things come back to the first acknowledged write. */
  | "return";

export interface KindFacts {
  readonly does: string;
  readonly measure: Measure;
  /** Another primary would be a mistake. */
  readonly primaryStays?: true;
  /** With whom it has a goal for the time in common. */
  readonly group?: "process or pod" | "node" | "switchover";
}

const kinds = {
  "kill-postgres": {
    does: "SIGKILL to the primary's postmaster",
    measure: "takeover",
    group: "process or pod",
  },
  "kill-patroni": {
    does: "SIGKILL to the primary's Patroni",
    measure: "gap",
    primaryStays: true,
    group: "process or pod",
  },
  "delete-pod": { does: "the primary's pod is deleted", measure: "takeover", group: "process or pod" },
  "freeze-node": { does: "the primary's node stands still", measure: "takeover", group: "node" },
  "cut-node": { does: "the primary's node is off the network", measure: "takeover", group: "node" },
  "cut-apiserver": {
    does: "the primary alone is cut from the API server, longer than a lock is valid",
    measure: "gap",
    primaryStays: true,
  },
  "apiserver-down": { does: "the API server is away", measure: "gap", primaryStays: true },
  "lose-replica": { does: "the node of a replica stands still", measure: "gap", primaryStays: true },
  "lose-two": { does: "the nodes of the primary and of a replica stand still", measure: "return" },
  "slow-disk": {
    does: "the primary's WAL disk takes 5 writes a second",
    measure: "gap",
    primaryStays: true,
  },
  switchover: { does: "a planned change of the primary", measure: "gap", group: "switchover" },
} as const satisfies Record<string, KindFacts>;

export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as Kind[];

export function factsOf(kind: Kind): KindFacts {
  return kinds[kind];
}

/** What could be asked for besides, and why it is not done. */
export const notDone: Readonly<Record<string, string>> = {
  "clock-jump":
    "the nodes of the test cluster share one kernel, which has one time of day for all processes of the machine",
};
