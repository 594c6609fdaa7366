import type { StackConfig } from "../../infra/config";
import { continuousAggregate } from "../../infra/schema/handlers/continuousAggregate";
import { engineVersion, type Handler, type Session } from "../../infra/schema/handlers/handler";
import { hypertable } from "../../infra/schema/handlers/hypertable";
import { migrationsFolder } from "../../infra/schema/handlers/migrations";
import {
  columnstorePolicy,
  refreshPolicy,
  reorderPolicy,
  retentionPolicy,
} from "../../infra/schema/handlers/policies";
import { refusal, serverFacts } from "../../infra/schema/handlers/server";
import { readMigrations } from "../../infra/schema/migrations/files";
import { verify } from "../../infra/schema/migrations/runner";
import { planSchema, type Stated } from "../../infra/schema/plan";
import type { Check } from "./check";

/** The server, the ledger, and everything the config comes to, compared with what the database has. */
export function schemaChecks(config: StackConfig): Check[] {
  const { tables, aggregates } = planSchema(config);
  return [
    serverCheck,
    migrationsCheck,
    ...[...tables].map(
      ([name, plan]): Check => ({
        name: `table ${name}`,
        severity: "ERROR",
        run: (session) =>
          problemsOf([
            () => differs(hypertable, session, plan.hypertable),
            () => differs(columnstorePolicy, session, plan.columnstorePolicy),
            () => differs(retentionPolicy, session, plan.retentionPolicy),
            () => differs(reorderPolicy, session, plan.reorderPolicy),
          ]),
      }),
    ),
    ...[...aggregates].map(
      ([name, plan]): Check => ({
        name: `aggregate ${name}`,
        severity: "ERROR",
        run: (session) =>
          problemsOf([
            () => differs(continuousAggregate, session, plan.view),
            () => differs(refreshPolicy, session, plan.refreshPolicy),
            () => differs(columnstorePolicy, session, plan.columnstorePolicy),
            () => differs(retentionPolicy, session, plan.retentionPolicy),
          ]),
      }),
    ),
  ];
}

const serverCheck: Check = {
  name: "server edition and version",
  severity: "CRITICAL",
  async run({ client, config }) {
    const facts = await serverFacts(client);
    if (facts === undefined) return "TimescaleDB is not installed in the database";
    return refusal(facts, config.database.edition)?.reason;
  },
};

const migrationsCheck: Check = {
  name: "migrations applied and unedited",
  severity: "CRITICAL",
  async run({ client }) {
    const { pending, problems } = await verify(client, await readMigrations(migrationsFolder));
    const messages = [
      ...problems.map((problem) => problem.message),
      ...(pending.length === 0 ? [] : [`pending: ${pending.map(({ forward }) => forward.file).join(", ")}`]),
    ];
    return messages.length === 0 ? undefined : messages.join("; ");
  },
};

/** What the database has otherwise than stated, property by property; undefined when nothing was stated. */
async function differs<Inputs extends object>(
  handler: Handler<Inputs>,
  session: Session,
  stated: Stated<Inputs> | undefined,
): Promise<string | undefined> {
  if (stated === undefined) return undefined;
  const inputs = { ...stated, engineVersion } as unknown as Inputs;
  const live = await handler.live(session, inputs);
  if (live === undefined) return `${handler.id(inputs)} is missing`;
  const wrong = (Object.keys(inputs) as (keyof Inputs)[]).filter(
    (key) => JSON.stringify(live[key]) !== JSON.stringify(inputs[key]),
  );
  if (wrong.length === 0) return undefined;
  const values = wrong.map(
    (key) => `${String(key)} is ${JSON.stringify(live[key])} instead of ${JSON.stringify(inputs[key])}`,
  );
  return `${handler.id(inputs)}: ${values.join(", ")}`;
}

/** Everything that is wrong. Checks share one session, so they run one after the other. */
async function problemsOf(steps: (() => Promise<string | undefined>)[]): Promise<string | undefined> {
  const problems: string[] = [];
  for (const step of steps) problems.push((await step()) ?? "");
  return problems.filter((problem) => problem !== "").join("; ") || undefined;
}
