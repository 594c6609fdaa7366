import type { Command } from "commander";
import { estimate, renderCost } from "../../infra/azure/cost";
import { UserError } from "../../infra/errors";
import { createLog } from "../log";
import { stackConfig } from "../stackConfig";

/** `cost STACK [--json]`: what a stack in Azure is expected to cost in a month, line by line, and what is saved. */
export function register(program: Command): void {
  program
    .command("cost <stack>")
    .description("what a stack in Azure is expected to cost in a month, line by line")
    .option("--json", "print one JSON object on stdout", false)
    .action(async (stack: string, options: { json: boolean }) => {
      const { azure, cluster, monitoring } = await stackConfig(stack, createLog({ quiet: options.json }));
      if (azure === undefined || cluster === undefined) {
        throw new UserError(`stack "${stack}" is not in Azure: nothing is charged for it`, {
          fix: "name one that is, e.g. npm run ops -- cost prod",
        });
      }
      const cost = estimate(azure, { ...cluster, monitoring });
      process.stdout.write(options.json ? `${JSON.stringify(cost)}\n` : renderCost(cost, azure.budget));
    });
}
