// Programs inside a database pod, started from the host past the API server, which may be away, and past the node's
// freezer: in the pod's namespaces, as PostgreSQL's own user, but not in its cgroup.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { cgroupsBelow, controlFile } from "../../../test/cluster/cgroups";
import type { ClusterPlan } from "../../../test/cluster/plan";

/** postgres, as the images have it: infra/database/podSpec.ts. */
const postgresUser = "1000";

/** A database pod that runs. */
export interface Member {
  readonly name: string;
  readonly address: string;
  /** Its first process, as the host sees it. */
  readonly pid: number;
}

/** The database pods that run on the cluster's nodes now, in the order of their names. */
export async function runningMembers(plan: ClusterPlan): Promise<Member[]> {
  const found = await Promise.all(plan.nodes.map(({ cgroup }) => membersIn(cgroup)));
  return found.flat().sort((a, b) => a.name.localeCompare(b.name));
}

async function membersIn(node: string): Promise<Member[]> {
  const cgroups = await cgroupsBelow(node, /./).catch(() => []);
  const pids = await Promise.all(
    cgroups.map((cgroup) => readOrNothing(controlFile("freezer", cgroup, "cgroup.procs"))),
  );
  const members = await Promise.all(pids.join("\n").split("\n").filter(Boolean).map(memberOf));
  return members.filter((member) => member !== undefined);
}

async function memberOf(pid: string): Promise<Member | undefined> {
  const command = await readOrNothing(`/proc/${pid}/cmdline`);
  if (!command.includes("/agent/init.py")) return undefined;
  const environment = (await readOrNothing(`/proc/${pid}/environ`)).split("\0");
  const value = (name: string) =>
    environment.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  return { name: value("POD_NAME"), address: value("PATRONI_KUBERNETES_POD_IP"), pid: Number(pid) };
}

/** Processes and cgroups end while we look. */
function readOrNothing(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

/** Starts a program in the member's pod. It ends with the pod; see to it that it also ends with its stdin. */
export function startInside(
  { pid }: Member,
  command: readonly string[],
): ChildProcessByStdio<Writable, Readable, Readable> {
  const enter = ["--target", String(pid), "--mount", "--uts", "--ipc", "--pid"];
  const asPostgres = ["--setuid", postgresUser, "--setgid", postgresUser];
  return spawn("nsenter", [...enter, ...asPostgres, "--", "env", "-i", "HOME=/tmp", ...command], {
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C in a terminal is for us to act on.
    detached: true,
  });
}

/**
 * Runs statements in the member's database, as the superuser.
 *
 * @returns rows, their columns separated by spaces
 * @throws Error with what psql says when one fails
 */
export async function sqlInside(member: Member, statements: string): Promise<string[]> {
  const psql = startInside(member, [
    "/usr/lib/postgresql/17/bin/psql",
    ...["--host", "/run/postgresql", "--username", "postgres", "--dbname", "ms5"],
    ...["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator", " "],
    ...["--set", "ON_ERROR_STOP=1", "--file", "-"],
  ]);
  psql.stdin.on("error", () => undefined);
  psql.stdin.end(statements);
  const [rows, errors, code] = await Promise.all([
    text(psql.stdout),
    text(psql.stderr),
    new Promise((resolve) => psql.once("close", resolve)),
  ]);
  if (code !== 0) throw new Error(`psql in ${member.name}: ${errors.trim() || `ended with ${code}`}`);
  return rows.split("\n").filter(Boolean);
}
