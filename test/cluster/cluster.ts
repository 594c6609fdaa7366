// Starting and stopping a cluster. Nothing of it outlives its processes but one folder in the cache.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode, UserError } from "../../infra/errors";
import { interruptedSearch, withToolLock } from "../../ops/engine/toolCache";
import type { Log } from "../../ops/log";
import { startAgents } from "./agents";
import { dnsReady, isReady, readyNodes } from "./apiServer";
import { writeIdentities } from "./certificates";
import { processesIn, removeCgroup } from "./cgroups";
import { controlInit } from "./controlPlane";
import { ensureOurImages } from "./images";
import { shareStore } from "./images/store";
import {
  type MachineSpec,
  removeFolder,
  runHost,
  runningPid,
  type StartedMachine,
  startMachine,
} from "./machine";
import { manifests } from "./manifests";
import { connectMachines, disconnectHost } from "./network";
import { nodeFiles, nodeInit } from "./node";
import { type ClusterPlan, type MachinePlan, machinesOf } from "./plan";
import { requireMachine } from "./requirements";
import { ensureTools, type Tools } from "./tools";

const readyWithinMs = 120_000;

/** Written last: what is there without it was left by an `up` that didn't finish. */
function finishedFile(plan: ClusterPlan): string {
  return join(plan.folder, "up");
}

export type ClusterState = "up" | "broken" | "down";

/** `broken`: some of it runs, and not all. `up` says nothing of its health. */
export function stateOf(plan: ClusterPlan): ClusterState {
  const running = machinesOf(plan).filter((machine) => runningPid(machine) !== undefined).length;
  if (existsSync(finishedFile(plan)) && running === machinesOf(plan).length) return "up";
  return processesIn(plan.cgroup).length > 0 ? "broken" : "down";
}

/**
 * Brings the cluster up, unless it is. What an earlier `up` left half done is cleared away first.
 *
 * @throws UserError (environment) where the machine can't have it, (interrupted) when `signal` says so; whatever was
 * started is stopped again
 */
export async function up(plan: ClusterPlan, log: Log, signal?: AbortSignal): Promise<void> {
  await requireMachine(log);
  const tools = await ensureTools(log, signal);
  await ensureOurImages(plan, tools, log);
  const work = async () => {
    if (stateOf(plan) === "up") return requireUsable(plan, tools, log);
    await takeDown(plan);
    const begun = Date.now();
    try {
      await start(plan, tools, log, signal);
    } catch (error) {
      await takeDown(plan);
      throw error;
    }
    log.info(`Cluster ${plan.name} is up after ${((Date.now() - begun) / 1000).toFixed(1)} s.`);
  };
  await withToolLock(plan.folder, `cluster ${plan.name}`, log, signal, work);
}

/** Stops the cluster and removes all it kept. One that is down already is fine. */
export async function down(plan: ClusterPlan, log: Log): Promise<void> {
  await withToolLock(plan.folder, `cluster ${plan.name}`, log, undefined, () => takeDown(plan));
}

async function requireUsable(plan: ClusterPlan, tools: Tools, log: Log): Promise<void> {
  if (!(await isReady(plan.kubeconfig))) {
    throw new UserError(`cluster ${plan.name} is up, but its API server does not answer`, {
      fix: "if no test is holding it stopped: npm run cluster -- reset",
      exitCode: ExitCode.environment,
    });
  }
  if (readFileSync(finishedFile(plan), "utf8") !== recipe(plan, tools)) {
    log.warn("the cluster was started from other sources than these: npm run cluster -- reset");
  }
}

/** Stands for everything that a cluster is started with. */
function recipe(plan: ClusterPlan, tools: Tools): string {
  const parts = [
    controlInit(plan),
    ...plan.nodes.map((node) => [nodeInit(node), nodeFiles(node)]),
    manifests(),
  ];
  return createHash("sha256")
    .update(JSON.stringify([tools, parts]))
    .digest("hex");
}

async function start(
  plan: ClusterPlan,
  tools: Tools,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<void> {
  await mkdir(plan.folder, { recursive: true });
  await writeIdentities(plan);
  const specs: MachineSpec[] = [{ ...plan.control, init: controlInit(plan), binds: [] }];
  for (const node of plan.nodes) {
    await writeFiles(node, nodeFiles(node));
    specs.push({ ...node, init: nodeInit(node), binds: await shareStore(node.folder, tools, log) });
  }
  const machines = new Map<string, StartedMachine>();
  for (const spec of specs) machines.set(spec.name, await startMachine(spec, tools));
  const pids = new Map([...machines].map(([name, { pid }]) => [name, pid]));
  await connectMachines(plan, pids);
  for (const machine of machines.values()) machine.release();
  const waiting = new Waiting(plan, log, signal);
  await waiting.until("the API server is ready", () => isReady(plan.kubeconfig));
  await applyManifests(plan, tools);
  await startAgents(plan, pids, tools);
  await waiting.until(
    "all nodes are ready",
    async () => (await readyNodes(plan.kubeconfig)).length === plan.nodes.length,
  );
  await waiting.until("names are answered", () => dnsReady(plan.kubeconfig, plan.nodes.length));
  await writeFile(finishedFile(plan), recipe(plan, tools));
}

async function writeFiles(machine: MachinePlan, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(machine.folder, "cni"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(machine.folder, name), text);
}

async function applyManifests(plan: ClusterPlan, tools: Tools): Promise<void> {
  const file = join(plan.folder, "manifests.json");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests() }));
  await runHost(join(tools.kubernetes, "kubectl"), [
    ...["--kubeconfig", plan.kubeconfig, "apply", "--server-side", "--filename", file],
  ]);
}

/** Waits for one thing after another, within one time for all. */
class Waiting {
  private readonly begun = Date.now();

  constructor(
    private readonly plan: ClusterPlan,
    private readonly log: Log,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** @throws UserError with the ends of the programs' logs when it takes too long, and when it is interrupted */
  async until(what: string, check: () => Promise<boolean>): Promise<void> {
    while (!(await check())) {
      if (this.signal?.aborted) throw interruptedSearch(`cluster ${this.plan.name}`);
      if (Date.now() - this.begun > readyWithinMs) {
        throw new UserError(
          `cluster ${this.plan.name}: waited in vain until ${what}\n${logEnds(this.plan)}`,
          {
            fix: "run it again; where the machine is slow or busy, when it is less so",
            exitCode: ExitCode.environment,
          },
        );
      }
      await sleep(100);
    }
    this.log.info(`  ${((Date.now() - this.begun) / 1000).toFixed(1)} s: ${what}`);
  }
}

/** The last lines of each program's log, for who has to find out why. */
function logEnds(plan: ClusterPlan): string {
  return machinesOf(plan)
    .flatMap(({ folder, name }) =>
      readdirSync(join(folder, "log")).map((file) => {
        const lines = readFileSync(join(folder, "log", file), "utf8")
          .trim()
          .split("\n");
        return `${name} ${file}:\n${lines
          .slice(-3)
          .map((line) => `  ${line.slice(0, 300)}`)
          .join("\n")}`;
      }),
    )
    .join("\n");
}

/** Works for any state, also for what a killed `up` has left. */
async function takeDown(plan: ClusterPlan): Promise<void> {
  await removeCgroup(plan.cgroup);
  await disconnectHost(plan);
  // The kernel takes mounts apart a moment after their last process.
  const deadline = Date.now() + 10_000;
  while (leftovers(plan).length > 0) {
    if (Date.now() > deadline) throw new Error(`still there: ${leftovers(plan).join(", ")}`);
    await sleep(20);
  }
  await removeFolder(plan.folder);
}

/** Loop devices that still hold a volume. */
function leftovers(plan: ClusterPlan): string[] {
  return readdirSync("/sys/block").filter((device) => {
    try {
      return readFileSync(`/sys/block/${device}/loop/backing_file`, "utf8").includes(plan.cgroup);
    } catch {
      // No loop device, or one without a file.
      return false;
    }
  });
}
