// A stack on the real engine whose providers are the stand-ins, run as they are for a user.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  type EngineEvent,
  LocalWorkspace,
  type OpMap,
  type OutputMap,
  type PulumiFn,
  type Stack,
} from "@pulumi/pulumi/automation";
import { findPulumi } from "../../../ops/engine/cli";
import { projectRoot } from "../../../ops/paths";
import { silent } from "../../support/embedded";

export interface RunningStandIns {
  readonly process: ChildProcess;
  /** `NAME:PORT,…` */
  readonly providers: string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

/** Starts `ops/standins/main.ts NAME…` and waits for their ports. */
export async function startStandIns(names: readonly string[]): Promise<RunningStandIns> {
  const child = spawn(
    process.execPath,
    ["--require", require.resolve("tsx/cjs"), join(projectRoot, "ops/standins/main.ts"), ...names],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const line = new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).once("line", resolve),
  );
  const providers = await Promise.race([line, exited.then(() => undefined)]);
  if (providers === undefined) throw new Error(`the stand-ins ${names.join(", ")} did not start`);
  return { process: child, providers, exited };
}

/** One step of an operation: what happens to which resource, and the properties it is about. */
export interface Step {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  readonly properties: string[];
}

type Operation = "preview" | "up" | "refresh" | "destroy";

export class StandInStack {
  private constructor(
    private readonly folder: string,
    private readonly standIns: RunningStandIns,
    readonly stack: Stack,
  ) {}

  static async start(names: readonly string[]): Promise<StandInStack> {
    const folder = mkdtempSync(join(tmpdir(), "ms5-standins-"));
    const [cli, standIns] = await Promise.all([findPulumi({ log: silent }), startStandIns(names)]);
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: "test", projectName: "standins", program: async () => ({}) },
      {
        workDir: folder,
        pulumiHome: join(folder, "home"),
        pulumiCommand: cli.command,
        projectSettings: { name: "standins", runtime: "nodejs", backend: { url: `file://${folder}` } },
        envVars: {
          PULUMI_CONFIG_PASSPHRASE: "of a test",
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          PULUMI_DEBUG_PROVIDERS: standIns.providers,
        },
      },
    );
    return new StandInStack(folder, standIns, stack);
  }

  /** Runs the operation with this program; what it did, without what stayed the same. */
  async run(operation: Operation, program: PulumiFn = async () => ({})) {
    this.stack.workspace.program = program;
    const steps: Step[] = [];
    const said: string[] = [];
    const statuses: string[] = [];
    const onEvent = (event: EngineEvent): void => {
      const { diagnosticEvent } = event;
      if (diagnosticEvent !== undefined) {
        (diagnosticEvent.ephemeral ? statuses : said).push(diagnosticEvent.message.trim());
      }
      // A refresh knows what it found only at the end of a step; the others tell of a step when it starts, too.
      const told = operation === "refresh" ? event.resOutputsEvent : event.resourcePreEvent;
      const metadata = told?.metadata;
      if (metadata === undefined || metadata.op === "same" || metadata.type === "pulumi:pulumi:Stack") return;
      steps.push({
        op: metadata.op,
        type: metadata.type.split(":").at(-1) ?? "",
        name: metadata.urn.split("::").at(-1) ?? "",
        properties: Object.keys(metadata.detailedDiff ?? {}).sort(),
      });
    };
    const { changes, outputs } = await this.perform(operation, onEvent);
    return {
      steps,
      /** `op name: changed properties`, in alphabetical order. */
      summary: steps.map(({ op, name, properties }) => `${op} ${name}: ${properties}`).sort(),
      changes,
      /** What the engine and the providers said. */
      said,
      /** What they said in passing, while they waited for something. */
      statuses,
      /** Secrets opened. */
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, output.value])),
    };
  }

  private async perform(
    operation: Operation,
    onEvent: (event: EngineEvent) => void,
  ): Promise<{ changes: OpMap; outputs: OutputMap }> {
    if (operation === "preview") {
      return { changes: (await this.stack.preview({ onEvent })).changeSummary, outputs: {} };
    }
    if (operation === "up") {
      const { summary, outputs } = await this.stack.up({ onEvent });
      return { changes: summary.resourceChanges ?? {}, outputs };
    }
    const { summary } = await this.stack[operation]({ onEvent });
    return { changes: summary.resourceChanges ?? {}, outputs: {} };
  }

  /** The state as it lies on the disk. */
  state(): string {
    return readFileSync(join(this.folder, ".pulumi/stacks/standins/test.json"), "utf8");
  }

  /** As after a kill: these objects were made, and nobody recorded it. */
  async forget(names: readonly string[]): Promise<void> {
    const exported = await this.stack.exportStack();
    const resources: { urn: string }[] = exported.deployment.resources;
    const kept = resources.filter(({ urn }) => !names.includes(urn.split("::").at(-1) ?? ""));
    await this.stack.importStack({ ...exported, deployment: { ...exported.deployment, resources: kept } });
  }

  async stop(): Promise<void> {
    this.standIns.process.stdin?.end();
    await this.standIns.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
