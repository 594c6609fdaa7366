// One deployment as a command: signals, progress and report around one run of the engine.
import { join } from "node:path";
import type { EngineEvent, PulumiFn } from "@pulumi/pulumi/automation";
import { ExitCode } from "../../infra/errors";
import { createLog, type Log } from "../log";
import { projectRoot } from "../paths";
import { clientsLine } from "../preview/effects";
import { stackConfig } from "../stackConfig";
import type { Place } from "./backend";
import { emptyRun, type RunModel } from "./events";
import { liveProgress, logAbove } from "./live";
import { report } from "./render";
import { catchInterrupts, type Interrupts } from "./signals";
import { type Operation, runStack, type StackResult } from "./stack";

/** The plugins that infra/ uses on every stack, and on those whose database runs in Kubernetes. Dynamic providers need none. */
const everywhere = ["random", "postgresql"] as const;
const onKubernetes = ["tls", "kubernetes"] as const;
const inAzure = ["azure-native"] as const;

/** What the program in infra/ keeps to: docs/policies.md. */
const infraPolicies = join(projectRoot, "infra", "policy");

async function programProviders(stack: string, log: Log): Promise<readonly string[]> {
  const { platform } = await stackConfig(stack, log);
  if (platform === "none") return everywhere;
  return [...everywhere, ...onKubernetes, ...(platform === "azure" ? inAzure : [])];
}

export interface RunOptions {
  /** Nothing but warnings on stderr, no progress. */
  readonly json: boolean;
  /** Default: the program in infra/. */
  readonly program?: PulumiFn;
  /** Default: those that infra/ uses on this stack. */
  readonly providers?: readonly string[];
  /** Default: infra/policy for the program in infra/, none for another one. */
  readonly policyPacks?: readonly string[];
  /** Of a refresh: see {@link runStack}. */
  readonly previewOnly?: boolean;
  readonly place?: Place;
  /** Each event as the engine sends it, secrets and all. */
  readonly onEvent?: (event: EngineEvent) => void;
}

export interface DeployOptions extends RunOptions {
  /** Gets ready what the stack runs on, and returns what ends it, e.g. the embedded database. */
  readonly prepare?: (stack: string) => Promise<() => Promise<void>>;
}

/**
 * Runs an operation on a stack and shows it: a report, or with `json` one JSON object on stdout. The exit code is for
 * the caller: see {@link exitCodeOf}.
 *
 * @throws UserError when nothing was begun.
 */
export async function deploy(
  operation: Operation,
  stack: string,
  options: DeployOptions,
): Promise<StackResult> {
  const interrupts = catchInterrupts(createLog({ quiet: options.json }));
  try {
    const end = await options.prepare?.(stack);
    try {
      const { result, model } = await runWatched(operation, stack, { ...options, interrupts });
      const color = process.stdout.isTTY && process.stdout.hasColors();
      const told = `${report(result, model, { color })}${clientsLine(result, model)}`;
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : told);
      return result;
    } finally {
      await end?.();
    }
  } finally {
    interrupts.release();
  }
}

/** Runs an operation on a stack with live progress on stderr, and leaves the telling to the caller. */
export async function runWatched(
  operation: Operation,
  stack: string,
  options: RunOptions & { readonly interrupts: Interrupts },
): Promise<{ result: StackResult; model: RunModel }> {
  const program = options.program ?? infraProgram();
  const live = options.json ? undefined : liveProgress(process.stderr);
  const log = logAbove(live, createLog({ quiet: options.json }));
  let model = emptyRun(operation);
  try {
    const result = await runStack(operation, stack, {
      log,
      program,
      providers: options.providers ?? (await programProviders(stack, log)),
      policyPacks: options.policyPacks ?? (options.program === undefined ? [infraPolicies] : []),
      previewOnly: options.previewOnly,
      signal: options.interrupts.gentle,
      hardSignal: options.interrupts.hard,
      onEvent: (next, event) => {
        options.onEvent?.(event);
        model = next;
        live?.show(model);
      },
      ...(options.place === undefined ? {} : { place: options.place }),
    });
    return { result, model };
  } finally {
    live?.clear();
  }
}

/** Its SDKs take half a second to load, in which the providers and the engine start. */
function infraProgram(): PulumiFn {
  const loading = import("../../infra/program");
  loading.catch(() => undefined);
  return async () => (await loading).program();
}

export function exitCodeOf(result: StackResult): ExitCode {
  if (result.result === "succeeded") return ExitCode.ok;
  return result.result === "interrupted" ? ExitCode.interrupted : ExitCode.failed;
}
