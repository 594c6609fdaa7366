// One run of the engine on one stack, from finding the CLI to a result that says what happened.

import { delimiter, join } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { type EngineEvent, LocalWorkspace, type PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { UserError } from "../../infra/errors";
import type { Log } from "../log";
import { localFolder, projectRoot } from "../paths";
import { type Backend, openBackend, type Place, requireStack } from "./backend";
import { findPulumi } from "./cli";
import {
  type Counts,
  type Diagnostic,
  emptyRun,
  type PropertyChange,
  type RunModel,
  reduceEvent,
} from "./events";
import {
  clearStaleLocks,
  describePending,
  lockedBy,
  pendingOperations,
  readState,
  stateExists,
  withoutPending,
} from "./interrupted";
import { refusePlanOnly, startProviders } from "./providers";
import { CliError, type StopSignals, type SupervisedCommand, supervised } from "./supervised";

export type Operation = "preview" | "up" | "refresh" | "destroy";

export interface StackResult {
  readonly operation: Operation;
  readonly stack: string;
  readonly result: "succeeded" | "failed" | "interrupted";
  readonly engine: { readonly pulumi: string; readonly standIns: readonly string[] };
  /** Whole resources; in a preview, what would be. */
  readonly resources: Counts;
  readonly changes: readonly {
    readonly op: string;
    readonly type: string;
    readonly name: string;
    readonly diff: readonly PropertyChange[];
  }[];
  /** Stack outputs, secrets masked. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
  readonly seconds: number;
}

export interface RunOptions {
  readonly log: Log;
  /** The Pulumi program; runs in this process. */
  readonly program: PulumiFn;
  /** Provider plugins it needs. */
  readonly providers: readonly string[];
  /** Folders of policy packs, which a preview and an up have to satisfy. */
  readonly policyPacks?: readonly string[] | undefined;
  /** A refresh that tells what is really there, and leaves the state as it is. */
  readonly previewOnly?: boolean | undefined;
  /** First signal: the running step is finished and the state saved. */
  readonly signal?: AbortSignal | undefined;
  /** Second signal: everything is stopped at once. */
  readonly hardSignal?: AbortSignal | undefined;
  /** Called with the model so far after each event. */
  readonly onEvent?: (model: RunModel, event: EngineEvent) => void;
  readonly place?: Place;
}

/**
 * Runs one operation on a stack. A deployment that fails is a result, not an exception.
 *
 * @throws UserError when nothing was begun: unknown stack, no CLI, another run at work; and when the program itself
 * throws one, e.g. for a wrong config value.
 */
export async function runStack(
  operation: Operation,
  stackName: string,
  options: RunOptions,
): Promise<StackResult> {
  const startedAt = Date.now();
  const place = options.place ?? { root: projectRoot, local: localFolder };
  requireStack(place.root, stackName);
  const cli = await findPulumi(options);
  const checkout = await LocalWorkspace.create({ workDir: place.root, pulumiCommand: cli.command });
  const project = await checkout.projectSettings();
  const backend = openBackend(place, stackName, process.env, project.backend?.url);
  const providers = await startProviders(options.providers, { ...options, cli });
  try {
    if (operation === "up") refusePlanOnly(operation, providers.standIns);
    const stop: StopSignals = { gentle: options.signal, hard: options.hardSignal };
    const userErrors: UserError[] = [];
    const command = supervised(cli.command, stop);
    const workspace = await LocalWorkspace.create({
      workDir: backend.workDir,
      pulumiCommand: command,
      program: forPeople(options.program, userErrors),
      envVars: {
        ...backend.env,
        ...providers.env,
        PATH: withLaunchers(options.policyPacks, providers.env.PATH),
      },
    });
    const looksOnly = operation === "preview" || options.previewOnly;
    if (backend.folder !== undefined && !looksOnly) {
      clearStaleLocks(backend.folder, project.name, stackName, options.log);
    }
    const stack = await openStack(workspace, command, backend, project.name, stackName);
    if (operation !== "preview") {
      const recorded = await recordedState(stack, backend, project.name, stackName);
      refusePlanOnly(operation, providers.standIns, recorded);
      if (!looksOnly) await finishPending(stack, recorded, options.log);
    }
    // Interrupted while it was being prepared: nothing was begun, so there is nothing to stop gently.
    const run = options.signal?.aborted ? notBegun(operation) : await drive(stack, operation, options);
    const [userError] = userErrors;
    if (userError !== undefined) throw userError;
    return toResult(operation, stackName, run, {
      engine: { pulumi: cli.version, standIns: providers.standIns },
      interrupted: options.signal?.aborted ?? false,
      seconds: (Date.now() - startedAt) / 1000,
    });
  } finally {
    await providers.stop();
  }
}

/** The stack, made on first use. The user's `pulumi stack select` stays what it was. */
async function openStack(
  workspace: LocalWorkspace,
  command: SupervisedCommand,
  backend: Backend,
  project: string,
  name: string,
): Promise<Stack> {
  const pulumi = (...args: string[]) => command.run(args, workspace.workDir, workspace.envVars);
  workspace.selectStack = async () => {};
  // Events have brought the outputs already, with secrets masked.
  workspace.stackOutputs = async () => ({});
  workspace.createStack = async () => {
    await pulumi("stack", "init", name, "--no-select");
  };
  // Looking at the file saves starting the CLI.
  const exists =
    backend.folder === undefined
      ? await pulumi("stack", "--stack", name).then(
          () => true,
          (error: unknown) => {
            if (error instanceof CliError && /no stack named/.test(error.stderr)) return false;
            throw error;
          },
        )
      : stateExists(backend.folder, project, name);
  const stack = await (exists ? Stack.select(name, workspace) : Stack.create(name, workspace));
  // Asked for after each operation, by starting the CLI again, for a summary that the events have brought too.
  stack.info = async () => undefined;
  return stack;
}

async function recordedState(
  stack: Stack,
  backend: Backend,
  project: string,
  name: string,
): Promise<unknown> {
  const state =
    backend.folder === undefined
      ? (await stack.exportStack()).deployment
      : readState(backend.folder, project, name);
  return state ?? {};
}

async function finishPending(stack: Stack, recorded: unknown, log: Log): Promise<void> {
  const pending = pendingOperations(recorded);
  if (pending.length === 0) return;
  for (const operation of pending) log.info(describePending(operation));
  await stack.importStack(withoutPending(await stack.exportStack()));
}

/** Packs of ours bring what starts them, for engines without Pulumi's Node language host. */
function withLaunchers(packs: readonly string[] = [], path = ""): string {
  return [...packs.map((pack) => join(pack, "bin")), path].join(delimiter);
}

/** A UserError of the program is kept for the caller, and told to the engine without a stack trace. */
function forPeople(program: PulumiFn, userErrors: UserError[]): PulumiFn {
  return async () => {
    try {
      return await program();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      userErrors.push(error);
      throw new RunError(error.message);
    }
  };
}

interface Run {
  readonly model: RunModel;
  readonly failure: CliError | undefined;
}

function notBegun(operation: Operation): Run {
  return {
    model: emptyRun(operation),
    failure: new CliError([operation], undefined, "", "interrupted before it began"),
  };
}

async function drive(stack: Stack, operation: Operation, options: RunOptions): Promise<Run> {
  let model = emptyRun(operation);
  const onEvent = (event: EngineEvent) => {
    model = reduceEvent(model, event);
    options.onEvent?.(model, event);
  };
  try {
    await stack[options.previewOnly ? "previewRefresh" : operation]({
      onEvent,
      color: "never",
      suppressOutputs: true,
      showSecrets: false,
      // A refresh and a destroy leave them out: neither makes anything that could break a policy.
      policyPacks: [...(options.policyPacks ?? [])],
    });
    return { model, failure: undefined };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const other = otherRun(error.message);
    if (other !== undefined) throw lockedBy(stack.name, other);
    return { model, failure: error };
  }
}

/** Who holds the lock that the CLI ran into, e.g. because both runs began at the same moment. */
function otherRun(message: string): string | undefined {
  if (!/currently locked by|Another update is currently in progress/.test(message)) return undefined;
  const [, pid, since] = /\(pid (\d+)\) at (\S+)/.exec(message) ?? [];
  return pid === undefined ? "known to the backend" : `pid ${pid}, since ${since}`;
}

function toResult(
  operation: Operation,
  stack: string,
  { model, failure }: Run,
  run: { engine: StackResult["engine"]; interrupted: boolean; seconds: number },
): StackResult {
  const explained = model.diagnostics.some(({ severity }) => severity === "error");
  return {
    operation,
    stack,
    result: failure === undefined ? "succeeded" : run.interrupted ? "interrupted" : "failed",
    engine: run.engine,
    resources: model.counts,
    changes: [...model.resources.values()]
      .filter(({ op }) => op !== "same")
      .map(({ op, type, name, diff }) => ({ op, type, name, diff })),
    outputs: model.outputs ?? {},
    // A failure before the first event (an unreadable state, a wrong passphrase) is in the CLI's own words only.
    diagnostics:
      failure === undefined || explained || run.interrupted
        ? model.diagnostics
        : [...model.diagnostics, { severity: "error", message: whyFailed(failure) }],
    seconds: run.seconds,
  };
}

function whyFailed(failure: CliError): string {
  if (failure.code === undefined)
    return "the Pulumi CLI was killed; running again finishes what it had begun";
  return failure.stderr.trim() || failure.message;
}
