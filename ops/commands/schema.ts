import type { Command } from "commander";
import { dumpSchema } from "../../infra/schema/migrations/dump";
import { withClient } from "../../infra/schema/postgres";
import { createLog } from "../log";
import { defaultStack } from "../stackConfig";
import { stackTarget } from "../stackTarget";

/** `schema dump`: the database's schema as text, to read or to compare. */
export function register(program: Command): void {
  program
    .command("schema")
    .description("look at a stack's schema")
    .command("dump")
    .description(
      "print schemas, tables, aggregates, policies, functions and grants; the same schema gives the same text",
    )
    .option("--stack <stack>", "whose database", defaultStack)
    .action(async ({ stack }: { stack: string }) => {
      const { target, close } = await stackTarget(stack, createLog({ quiet: false }));
      try {
        process.stdout.write(await withClient(target, (client) => dumpSchema(client), "ms5 schema"));
      } finally {
        await close();
      }
    });
}
