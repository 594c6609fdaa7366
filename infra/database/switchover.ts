// A planned change of the primary that no client sees as an error: the poolers keep everyone waiting while it happens.
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { UserError } from "../errors";
import { namespaceNames } from "../kubernetes/namespaceNames";
import { type LeaderLock, leaderLock } from "./leaderLock";
import { podExec } from "./podExec";
import { PoolerConsoles } from "./poolerConsole";

/** Milliseconds from the request until another member has the lock. */
const takeOverTimeoutMs = 15_000;
const pollMs = 20;

export interface Switchover {
  readonly from: string;
  readonly to: string;
  /** Milliseconds during which the poolers kept new transactions waiting. */
  readonly stallMs: number;
}

/**
 * Lets another member become the primary: checkpoint, pause at every pooler, the primary ends properly and gives its lock
 * away, resume. Whatever fails, the poolers go on.
 *
 * @param tell called with each step, for people
 * @throws UserError when nobody could take over, a transaction does not end, or the lock stays where it is
 */
export async function switchOver(
  config: KubeConfig,
  colour: string,
  tell: (step: string) => void = () => undefined,
): Promise<Switchover> {
  const before = await leaderLock(config, colour);
  const from = requirePrimary(before, colour);
  const place = { namespace: namespaceNames.database, pod: from, container: "database" };
  const consoles = await PoolerConsoles.open(config);
  try {
    tell(`checkpoint on ${from}`);
    // Most of what ending the server takes, done while everyone goes on working. In a new segment of the log there is little
    // that replicas have to stream anew from the next primary.
    const psql = ["psql", "-h", "/run/postgresql", "-U", "postgres", "-d", "postgres"];
    await podExec(config, place, [...psql, "-qc", "CHECKPOINT", "-qc", "SELECT pg_switch_wal()"]);
    // Ready before anyone waits: the command begins when a line comes.
    const start = new PassThrough();
    const request = podExec(config, place, ["sh", "-c", "read line && kill -USR1 1"], { stdin: start });
    request.catch(() => undefined);
    tell(`pause at ${consoles.pods.join(", ")}`);
    const begun = performance.now();
    await consoles.pause();
    let to: string;
    try {
      tell(`${from} gives its lock away`);
      start.end("\n");
      await request;
      to = await untilTaken(config, colour, from);
    } finally {
      await consoles.resume();
    }
    return { from, to, stallMs: Math.round(performance.now() - begun) };
  } finally {
    await consoles.close();
  }
}

function requirePrimary({ holder, voters }: LeaderLock, colour: string): string {
  if (holder !== undefined && voters.length > 0) return holder;
  throw new UserError(
    holder === undefined
      ? `cluster ${colour} has no primary at the moment`
      : `no replica of ${colour} has all that ${holder} acknowledged: nobody could take over`,
    { fix: "see docs/runbooks/replica-lagging.md" },
  );
}

async function untilTaken(config: KubeConfig, colour: string, from: string): Promise<string> {
  const deadline = performance.now() + takeOverTimeoutMs;
  while (performance.now() < deadline) {
    const { holder } = await leaderLock(config, colour);
    if (holder !== undefined && holder !== from) return holder;
    await sleep(pollMs);
  }
  throw new UserError(`${from} is still the primary after ${takeOverTimeoutMs / 1000} s`, {
    fix: `read what its agent says: kubectl logs -n ${namespaceNames.database} ${from}`,
  });
}
