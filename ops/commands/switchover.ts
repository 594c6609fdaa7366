import type { Command } from "commander";
import { UserError } from "../../infra/errors";
import { createLog } from "../log";
import { stackConfig } from "../stackConfig";

/** `switchover STACK [--json]`: another member becomes the primary, and clients wait instead of failing. */
export function register(program: Command): void {
  program
    .command("switchover <stack>")
    .description("let another member become the primary, while the poolers keep clients waiting")
    .option("--json", "print one JSON object on stdout", false)
    .action(async (stack: string, options: { json: boolean }) => {
      const log = createLog({ quiet: options.json });
      const { database } = await stackConfig(stack, log);
      if (database.target?.pod === undefined) {
        throw new UserError(`stack "${stack}" has no cluster of its own`, {
          fix: "name a stack on platform kubernetes, e.g. npm run ops -- switchover cluster",
        });
      }
      // The client library of Kubernetes takes a third of a second to load: not for a wrong stack.
      const { kubeConfig } = await import("../../infra/kubernetes/portForward");
      const { switchOver } = await import("../../infra/database/switchover");
      const { activeColour } = await import("../../infra/database/clusterNames");
      const result = await switchOver(kubeConfig(database.target.pod), activeColour, (step) =>
        log.info(step),
      );
      process.stdout.write(
        options.json
          ? `${JSON.stringify(result)}\n`
          : `${result.to} is the primary, ${result.from} was; transactions waited ${result.stallMs} ms\n`,
      );
    });
}
