import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { ExitCode, UserError } from "../../infra/errors";
import { deploy, exitCodeOf } from "../engine/deploy";
import type { Operation } from "../engine/stack";
import { createLog, type Log } from "../log";
import { defaultStack, stackConfig } from "../stackConfig";
import { ensureDatabase } from "../stackTarget";

const operations: readonly { name: Operation; description: string }[] = [
  { name: "preview", description: "show what `up` would change, and change nothing" },
  { name: "up", description: "bring the stack to what the program and its config say" },
  { name: "refresh", description: "read what is really there and show the drift" },
  { name: "destroy", description: "remove everything the stack has created" },
];

/** `preview|up|refresh [STACK] [--json]`, `destroy STACK [--yes] [--json]`: `destroy` wants `--yes` or the stack's name typed. */
export function register(program: Command): void {
  for (const { name, description } of operations) {
    const command = program
      // Removing the wrong stack is worse than a word more to type.
      .command(name === "destroy" ? "destroy <stack>" : `${name} [stack]`)
      .description(description)
      .option("--json", "print one JSON object on stdout instead of a report", false);
    if (name === "destroy") command.option("--yes", "don't ask", false);
    command.action(async (named: string | undefined, options: { json: boolean; yes?: boolean }) => {
      const stack = named ?? defaultStack;
      if (name === "destroy" && !options.yes) await confirmDestroy(stack);
      const prepare =
        name === "preview" ? {} : { prepare: startDatabase(createLog({ quiet: options.json })) };
      process.exitCode = exitCodeOf(await deploy(name, stack, { json: options.json, ...prepare }));
    });
  }
}

/** A preview needs no database; everything else needs one, the embedded one started where a stack uses it. */
function startDatabase(log: Log): (stack: string) => Promise<() => Promise<void>> {
  return async (stack) => ensureDatabase(await stackConfig(stack, log), log);
}

async function confirmDestroy(stack: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new UserError(`destroy of stack "${stack}" was not confirmed`, {
      fix: `add --yes: npm run destroy -- ${stack} --yes`,
      exitCode: ExitCode.refused,
    });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `Everything in stack "${stack}" will be removed. Type its name to go on: `,
    );
    if (answer.trim() === stack) return;
  } finally {
    prompt.close();
  }
  throw new UserError(`"${stack}" was not typed: nothing was removed`, {
    fix: "run it again and type the name of the stack",
    exitCode: ExitCode.refused,
  });
}
