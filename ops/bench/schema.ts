import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import { configLeaves } from "../../infra/config/leaves";
import { ExitCode, UserError } from "../../infra/errors";
import { withClient } from "../../infra/schema/postgres";
import { ownerRole } from "../../infra/schema/roleNames";
import { runStack, type StackResult } from "../engine/stack";
import { summarise } from "./measure";
import type { Measured } from "./report";
import { createOwner, type Throwaway, withThrowaway } from "./throwaway";
import type { Bench, BenchContext } from "./types";

const tables = 125;
/** A hypertable and three policies. */
const resourcesPerTable = 4;
const resources = tables * resourcesPerTable;
const goals = { msPerResource: 20, noOpSeconds: 5 };

/** 500 schema resources through the real engine: made, and found as they should be. */
export const schema: Bench = async (context) =>
  withThrowaway(context.log, async (database) => {
    await createOwner(database.target);
    const rounds: Round[] = [];
    for (let number = 1; number <= context.runs; number += 1) {
      context.log.info(`round ${number} of ${context.runs}`);
      rounds.push(await withOwnBackend(database, () => oneRound(database, number, context)));
    }
    const seconds = (name: string, of: (round: Round) => StackResult): Measured => ({
      case: name,
      unit: "s",
      ...summarise(rounds.map((round) => of(round).seconds)),
    });
    const perResource = summarise(rounds.map(({ up }) => (up.seconds * 1_000) / resources));
    const noOp = seconds(`up of ${resources} resources with nothing to do`, (round) => round.noOp);
    return {
      settings: {
        database: "embedded TimescaleDB, which serves one connection at a time",
        engine: `Pulumi ${rounds[0]?.up.engine.pulumi ?? ""}, Automation API, file backend`,
        resources: `${tables} tables, each a Hypertable, a ColumnstorePolicy, a RetentionPolicy and a ReorderPolicy; fresh tables and state each round`,
      },
      results: [
        {
          case: `first up of ${resources} resources, a resource`,
          unit: "ms",
          ...perResource,
          goal: `<= ${goals.msPerResource} ms`,
          met: perResource.median <= goals.msPerResource,
        },
        seconds(`first up of ${resources} resources`, (round) => round.up),
        { ...noOp, goal: `<= ${goals.noOpSeconds} s`, met: noOp.median <= goals.noOpSeconds },
        seconds("first up of no resources: what the engine itself takes", (round) => round.empty),
      ],
    };
  });

interface Round {
  readonly empty: StackResult;
  readonly up: StackResult;
  readonly noOp: StackResult;
}

async function oneRound(database: Throwaway, number: number, { log }: BenchContext): Promise<Round> {
  const root = join(database.folder, `round-${number}`);
  mkdirSync(root);
  writeFileSync(join(root, "Pulumi.yaml"), "name: ms5-timescale\nruntime: nodejs\n");
  // Its defaults are those of the embedded database; nothing is shared with the user's stack of this name.
  const config = `config:\n  ms5-timescale:database: { port: ${database.target.port} }\n`;
  const up = async (stack: string, program: PulumiFn): Promise<StackResult> => {
    writeFileSync(join(root, `Pulumi.${stack}.yaml`), `${config}  ms5-timescale:environment: local\n`);
    const place = { root, local: join(root, "local") };
    const quiet = { info: () => undefined, warn: log.warn };
    const result = await runStack("up", stack, { log: quiet, program, providers: [], place });
    if (result.result === "succeeded") return result;
    throw new UserError(`the engine failed: ${result.diagnostics.map(({ message }) => message).join("\n")}`, {
      fix: "see whether `npm run up -- local` works",
      exitCode: ExitCode.failed,
    });
  };
  const space = `ms5_bench_${number}`;
  await createTables(database, space);
  const empty = await up(`empty-${number}`, async () => ({}));
  const program = () => declare(space);
  const first = await up(`full-${number}`, program);
  expectCount(first.resources.created, first);
  const noOp = await up(`full-${number}`, program);
  expectCount(noOp.resources.unchanged, noOp);
  return { empty, up: first, noOp };
}

/** A fast run that did something else would be a wrong number. */
function expectCount(count: number, result: StackResult): void {
  if (count < resources)
    throw new Error(`expected ${resources} resources: ${JSON.stringify(result.resources)}`);
}

async function createTables({ target }: Throwaway, space: string): Promise<void> {
  const statements = Array.from(
    { length: tables },
    (_, n) =>
      `CREATE TABLE ${space}.t${n} (ts timestamptz NOT NULL, machine_id smallint, value real, PRIMARY KEY (machine_id, ts));`,
  );
  await withClient(target, (client) =>
    client.query(
      `CREATE SCHEMA ${space} AUTHORIZATION ${ownerRole}; SET ROLE ${ownerRole}; ${statements.join("\n")}`,
    ),
  );
}

async function declare(space: string): Promise<Record<string, unknown>> {
  // Loaded on demand: the SDK takes half a second that other benchmarks need not wait for.
  const { ColumnstorePolicy, Hypertable, ReorderPolicy, RetentionPolicy } = await import(
    "../../infra/schema/resources"
  );
  for (let n = 0; n < tables; n += 1) {
    const table = `${space}.t${n}`;
    const columnstore = { segmentBy: ["machine_id"], orderBy: "ts DESC" };
    const hypertable = new Hypertable(`t${n}`, {
      table,
      timeColumn: "ts",
      chunkInterval: "1 day",
      columnstore,
    });
    const child = { parent: hypertable };
    new ColumnstorePolicy(
      `t${n}-columnstore`,
      { relation: table, after: "7 days", schedule: "12 hours" },
      child,
    );
    new RetentionPolicy(
      `t${n}-retention`,
      { relation: table, dropAfter: "90 days", schedule: "1 day" },
      child,
    );
    new ReorderPolicy(`t${n}-reorder`, { relation: table, index: `t${n}_pkey` }, child);
  }
  return {};
}

/**
 * The user may be logged in to a backend, and their environment may override config: neither may reach a benchmark,
 * nor a benchmark them.
 */
async function withOwnBackend<T>({ folder }: Throwaway, work: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  const state = join(folder, "state");
  mkdirSync(state, { recursive: true });
  for (const { environmentVariable } of configLeaves) delete process.env[environmentVariable];
  delete process.env.PULUMI_CONFIG_PASSPHRASE_FILE;
  process.env.PULUMI_BACKEND_URL = `file://${state}`;
  // It encrypts nothing: the stacks have no secret, and go with the folder.
  process.env.PULUMI_CONFIG_PASSPHRASE = "benchmark";
  try {
    return await work();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
