// What an interrupted run leaves behind, recognised and explained: locks, and operations that were under way.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Deployment } from "@pulumi/pulumi/automation";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { displayType } from "./events";
import { commandOf, isAlive } from "./processes";

/** A lock of a `file://` backend, as Pulumi writes it. */
export interface StackLock {
  readonly file: string;
  readonly pid: number;
  readonly hostname: string;
  readonly timestamp: string;
}

/** The locks on a stack in a file backend; a half-written one counts with pid 0. */
export function locksOf(folder: string, project: string, stack: string): StackLock[] {
  const locks = join(folder, ".pulumi", "locks", "organization", project, stack);
  if (!existsSync(locks)) return [];
  // Beside each lock the file backend keeps a `.attrs` file.
  const names = readdirSync(locks).filter((name) => name.endsWith(".json"));
  return names.map((name) => {
    const file = join(locks, name);
    try {
      const { pid, hostname, timestamp } = JSON.parse(readFileSync(file, "utf8")) as StackLock;
      return { file, pid, hostname, timestamp };
    } catch {
      return { file, pid: 0, hostname: hostname(), timestamp: "an unknown time" };
    }
  });
}

/**
 * Removes locks of processes that are gone from this machine, and says so.
 *
 * @throws UserError when a lock belongs to a run that is (or may be) alive; it is never removed.
 */
export function clearStaleLocks(folder: string, project: string, stack: string, log: Log): void {
  for (const lock of locksOf(folder, project, stack)) {
    if (lock.hostname !== hostname()) throw lockedElsewhere(lock, stack);
    if (isPulumi(lock.pid)) throw lockedBy(stack, `pid ${lock.pid}, since ${lock.timestamp}`);
    log.info(`An earlier run (pid ${lock.pid}, started ${lock.timestamp}) was killed; its lock is removed.`);
    rmSync(lock.file, { force: true });
    rmSync(`${lock.file}.attrs`, { force: true });
  }
}

/** Numbers of dead processes are given out again, so being alive is not enough. */
function isPulumi(pid: number): boolean {
  if (pid <= 0 || !isAlive(pid)) return false;
  const command = commandOf(pid);
  return command === undefined || command.includes("pulumi");
}

export function lockedBy(stack: string, who: string): UserError {
  return new UserError(`another run (${who}) is deploying stack "${stack}"`, {
    fix: "wait until it has finished, or stop it with Ctrl-C where it runs",
    exitCode: ExitCode.refused,
  });
}

function lockedElsewhere(lock: StackLock, stack: string): UserError {
  return new UserError(
    `stack "${stack}" is locked by pid ${lock.pid} on ${lock.hostname}, since ${lock.timestamp}`,
    {
      fix: `wait until it has finished; if you are sure that it is gone, \`pulumi cancel --stack ${stack}\` removes its lock`,
      exitCode: ExitCode.refused,
    },
  );
}

/** An operation the engine had begun when it was killed. */
export interface PendingOperation {
  readonly urn: string;
  readonly type: string;
  readonly operation: string;
}

interface State {
  pending_operations?: { type: string; resource: { urn: string; type: string } }[];
}

export function pendingOperations(deployment: unknown): PendingOperation[] {
  const pending = (deployment as State | null | undefined)?.pending_operations ?? [];
  return pending.map(({ type, resource }) => ({ urn: resource.urn, type: resource.type, operation: type }));
}

/**
 * The state without operations that were under way. Safe for our resources: creating, updating and deleting are
 * idempotent and adopt what is already there, so the run that follows finishes what was begun.
 */
export function withoutPending(state: Deployment): Deployment {
  const { pending_operations: _, ...deployment } = state.deployment as State;
  return { ...state, deployment };
}

/** One line for a person about one operation. */
export function describePending(pending: PendingOperation): string {
  const name = pending.urn.split("::").slice(3).join("::");
  return `An earlier run was killed while ${pending.operation} ${displayType(pending.type)} ${name}; this run finishes it.`;
}

/** The state of a stack in a file backend, read without starting the CLI; undefined when it can't be read so. */
export function readState(folder: string, project: string, stack: string): unknown {
  const file = join(folder, ".pulumi", "stacks", project, `${stack}.json`);
  if (!existsSync(file)) return undefined;
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as { checkpoint?: { latest?: unknown } };
    return state.checkpoint?.latest;
  } catch (error) {
    throw new UserError(
      `the state of stack "${stack}" in ${file} cannot be read: ${(error as Error).message}`,
      {
        fix: `put ${file}.bak in its place: it is the state before the last change`,
        exitCode: ExitCode.environment,
        cause: error,
      },
    );
  }
}

export function stateExists(folder: string, project: string, stack: string): boolean {
  return ["json", "json.gz"].some((type) =>
    existsSync(join(folder, ".pulumi", "stacks", project, `${stack}.${type}`)),
  );
}
