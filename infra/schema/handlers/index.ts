import type { dynamic } from "@pulumi/pulumi";
import type { Client } from "pg";
import { loadConfig, type StackConfig } from "../../config";
import { requireTarget } from "../../databaseTarget";
import { UserError } from "../../errors";
import { type ConnectionTarget, escapeIdentifier, withClient } from "../postgres";
import { ownerRole } from "../roleNames";
import { continuousAggregate } from "./continuousAggregate";
import { type Failure, type Handler, PartlyApplied, type Session } from "./handler";
import { hypertable } from "./hypertable";
import { migrations } from "./migrations";
import { owner } from "./owner";
import { columnstorePolicy, refreshPolicy, reorderPolicy, retentionPolicy } from "./policies";
import { server } from "./server";

/** Handlers by the name of the resource type they serve. */
const handlers = {
  Server: server,
  Owner: owner,
  Migrations: migrations,
  Hypertable: hypertable,
  ColumnstorePolicy: columnstorePolicy,
  RetentionPolicy: retentionPolicy,
  ReorderPolicy: reorderPolicy,
  ContinuousAggregate: continuousAggregate,
  RefreshPolicy: refreshPolicy,
} as const;
export type Kind = keyof typeof handlers;

type Properties = Record<string, unknown>;
/** What the engine tells a dynamic provider: whose resources these are, and the stack's config in clear. */
export interface Stack {
  readonly name: string;
  readonly rawConfig: Readonly<Record<string, string>>;
}

type AnyHandler = Handler<Properties>;

/** What Pulumi puts in place of a value that is not known before the deployment. */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Made by the admin, since the owner is not there yet. */
const beforeTheOwner: readonly Kind[] = ["Server", "Owner"];

const bookkeeping = ["__provider"];

function handlerOf(kind: Kind): AnyHandler {
  // Each handler checks its own properties by type; from here they are all alike.
  return handlers[kind] as unknown as AnyHandler;
}

/** Stack config as of this run: dynamic providers get it from the engine, and the environment from their parent. */
function currentConfig({ name, rawConfig }: Stack): StackConfig {
  return loadConfig(name, rawConfig, process.env);
}

async function withSession<T>(
  config: StackConfig,
  kind: Kind,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return withClient(requireTarget(config), async (client) => {
    if (!beforeTheOwner.includes(kind)) await becomeOwner(client);
    return work({ client, config });
  });
}

/** Milliseconds for the first login to a database that was made a moment ago, or whose password was just changed. */
const loginTimeoutMs = 120_000;

async function untilLogin(target: ConnectionTarget): Promise<void> {
  // A database that was there before us has no reason to keep us waiting.
  const deadline = Date.now() + (target.pod === undefined ? 0 : loginTimeoutMs);
  for (;;) {
    try {
      return await withClient(target, async () => undefined);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

async function becomeOwner(client: Client): Promise<void> {
  await client.query(`SET ROLE ${escapeIdentifier(ownerRole)}`);
}

/** Refuses before anything changes what would be refused half-way. */
export async function check(
  kind: Kind,
  stack: Stack,
  olds: Properties,
  news: Properties,
): Promise<dynamic.CheckResult> {
  const failures: Failure[] = (await handlerOf(kind).check?.(olds, news, currentConfig(stack))) ?? [];
  return { inputs: news, failures };
}

/** Compares what was stated with what is stated now, property by property; never asks the database. */
export async function diff(kind: Kind, olds: Properties, news: Properties): Promise<dynamic.DiffResult> {
  const changed = Object.keys(news)
    .filter((key) => !bookkeeping.includes(key))
    .filter((key) => JSON.stringify(news[key]) !== JSON.stringify(olds[key]));
  const { replaceOn, deleteBeforeReplace } = handlerOf(kind);
  const replaces = changed.filter((key) => replaceOn.includes(key) && news[key] !== unknownValue);
  return { changes: changed.length > 0, replaces, deleteBeforeReplace };
}

export async function create(kind: Kind, stack: Stack, inputs: Properties): Promise<dynamic.CreateResult> {
  const handler = handlerOf(kind);
  const id = handler.id(inputs);
  const { beforeCreate } = handler;
  if (beforeCreate !== undefined) {
    await withSession(currentConfig(stack), kind, (session) => beforeCreate(session, inputs));
  }
  await applyTo(kind, stack, id, inputs);
  return { id, outs: inputs };
}

export async function update(
  kind: Kind,
  stack: Stack,
  id: string,
  _olds: Properties,
  news: Properties,
): Promise<dynamic.UpdateResult> {
  await applyTo(kind, stack, id, news);
  return { outs: news };
}

async function applyTo(kind: Kind, stack: Stack, id: string, inputs: Properties): Promise<void> {
  const config = currentConfig(stack);
  try {
    if (kind === "Server") await untilLogin(requireTarget(config));
    await withSession(config, kind, (session) => handlerOf(kind).apply(session, inputs));
  } catch (error) {
    throw error instanceof PartlyApplied
      ? Object.assign(new Error(error.message), {
          id,
          properties: { ...error.done, __provider: inputs.__provider },
          reasons: error.reasons,
        })
      : forPulumi(error);
  }
}

/** Reads the database; an empty id tells Pulumi that the resource is gone. */
export async function read(
  kind: Kind,
  stack: Stack,
  id: string,
  props: Properties,
): Promise<dynamic.ReadResult> {
  const live = await withSession(currentConfig(stack), kind, (session) =>
    handlerOf(kind).live(session, props),
  ).catch((error) => {
    throw forPulumi(error);
  });
  if (live === undefined) return { id: "", props: {} };
  const { __provider: _, ...stated } = props;
  const found = { ...stated, ...live };
  // With `inputs` the state holds what the database has, so that the next preview shows drift as before -> after.
  return { id, props: found, inputs: found };
}

async function remove(kind: Kind, stack: Stack, props: Properties): Promise<void> {
  await withSession(currentConfig(stack), kind, (session) => handlerOf(kind).remove(session, props)).catch(
    (error) => {
      throw forPulumi(error);
    },
  );
}

export { remove as delete };

/** Pulumi shows an error's message alone, so the fix goes into it. */
function forPulumi(error: unknown): unknown {
  return error instanceof UserError
    ? new Error(`${error.message}\n  fix: ${error.fix}`, { cause: error })
    : error;
}
