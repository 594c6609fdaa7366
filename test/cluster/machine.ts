// A machine: processes with a network, mounts, process ids and a host name of their own, in one cgroup.
//
// Everything it has hangs on its processes: with the last of them its mounts, links, routes and firewall rules are gone.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runProgram } from "../../ops/engine/processes";
import { toolPath } from "../support/debian";
import { makeCgroup, processesIn } from "./cgroups";
import type { Tools } from "./tools";

export interface MachineSpec {
  readonly name: string;
  readonly folder: string;
  readonly cgroup: string;
  /** Shell text of its first process; when it ends, so does the machine. */
  readonly init: string;
  readonly binds: readonly Bind[];
}

/** A folder that the machine sees, read-only. */
export interface Bind {
  readonly source: string;
  /** Within the machine's folder, and there. */
  readonly target: string;
}

export interface StartedMachine {
  /** Its first process, as the host sees it. */
  readonly pid: number;
  /** Lets it run its init, and outlive us. Until then it does nothing, and ends with the process that started it. */
  release(): void;
  /** Lets it run its init. Rejects when it ends with another exit code than 0. */
  run(): Promise<void>;
}

/** Makes the machine's namespaces; its network is empty but for loopback, which is down. */
export async function startMachine(spec: MachineSpec, tools: Tools): Promise<StartedMachine> {
  const joins = await makeCgroup(spec.cgroup);
  for (const folder of ["root", "log"]) await mkdir(join(spec.folder, folder), { recursive: true });
  await writeFile(join(spec.folder, "init.sh"), spec.init);
  const binds = spec.binds.map(({ source, target }) => `${source}\t${target}\n`);
  await writeFile(join(spec.folder, "binds"), binds.join(""));
  const enter = [join(__dirname, "enter.sh"), spec.name, spec.folder, tools.root, tools.kubernetes];
  const namespaces = ["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"];
  const child = spawn(
    "sh",
    [
      "-ec",
      'while [ "$1" != unshare ]; do echo $$ >"$1"; shift; done; exec "$@"',
      "sh",
      ...joins,
      ...["unshare", ...namespaces, "sh", ...enter],
    ],
    { stdio: ["pipe", "pipe", "pipe"], detached: true, env: { PATH: toolPath } },
  );
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const ended = endOf(child, `machine ${spec.name}`, said);
  // Not everyone waits for its end.
  ended.catch(() => undefined);
  const first = new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).once("line", resolve),
  );
  const pid = Number(
    await Promise.race([
      first,
      ended.then(() => Promise.reject(new Error(`machine ${spec.name} ended before it began`))),
    ]),
  );
  await writeFile(pidFile(spec.folder), String(pid));
  const go = () => child.stdin.end("go\n");
  return {
    pid,
    release() {
      go();
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    },
    run() {
      go();
      return ended;
    },
  };
}

function endOf(child: ChildProcess, what: string, said: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) return resolve();
      reject(new Error(`${what} ended with ${code ?? signal}: ${said.slice(-5).join("; ")}`));
    });
  });
}

function pidFile(folder: string): string {
  return join(folder, "pid");
}

/** The first process of a machine that runs; undefined when it doesn't. */
export function runningPid(machine: {
  readonly folder: string;
  readonly cgroup: string;
}): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile(machine.folder), "utf8"));
  } catch {
    return undefined;
  }
  // The number may be another process's by now.
  return processesIn(machine.cgroup).includes(pid) ? pid : undefined;
}

/** @throws Error when the machine doesn't run */
export function pidOf(machine: {
  readonly name: string;
  readonly folder: string;
  readonly cgroup: string;
}): number {
  const pid = runningPid(machine);
  if (pid === undefined) throw new Error(`machine ${machine.name} does not run`);
  return pid;
}

/**
 * Runs a program of the tools inside the machine, as a person logged in there would.
 *
 * @returns what it printed
 * @throws Error with what it printed when it fails
 */
export function inMachine(pid: number, command: readonly string[]): Promise<string> {
  return runHost("nsenter", [
    ...["--target", String(pid), "--mount", "--net", "--pid", "--uts", "--ipc", "--"],
    ...command,
  ]);
}

/** Runs a program of the host in the machine's network alone. @throws Error with what it printed when it fails */
export function inNetworkOf(pid: number, command: readonly string[]): Promise<string> {
  return runHost("nsenter", ["--target", String(pid), "--net", "--", ...command]);
}

/** @throws Error with what it printed when it fails */
export async function runHost(command: string, args: readonly string[]): Promise<string> {
  const { code, output } = await runProgram(command, [...args], {
    env: { ...process.env, PATH: toolPath, LC_ALL: "C" },
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed (${code}): ${output.trim()}`);
  return output;
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
