import { createInterface } from "node:readline/promises";
import { type Command, Option } from "commander";
import { ExitCode, UserError } from "../../infra/errors";
import { deploy, exitCodeOf } from "../engine/deploy";
import type { Operation, StackResult } from "../engine/stack";
import { createLog, type Log } from "../log";
import { defaultStack, stackConfig } from "../stackConfig";
import { ensureDatabase } from "../stackTarget";

const operations: readonly { name: Operation; description: string }[] = [
  { name: "preview", description: "show what `up` would change, and change nothing" },
  { name: "up", description: "bring the stack to what the program and its config say" },
  { name: "refresh", description: "read what is really there and show the drift" },
  { name: "destroy", description: "remove everything the stack has created" },
];

/** What `--markdown` prints, where there is one. */
const markdownTexts: Partial<Record<Operation, string>> = {
  preview: "print a pull request's comment on stdout instead of a report",
  refresh: "print an issue's text on drift, nothing without; leaves the state as it is",
};

interface Options {
  readonly json: boolean;
  readonly yes?: boolean;
  readonly markdown?: boolean;
  readonly previewOnly?: boolean;
}

/**
 * `preview [STACK] [--json | --markdown]`, `up [STACK] [--json]`, `refresh [STACK] [--preview-only] [--json | --markdown]`,
 * `destroy STACK [--yes] [--json]`: `destroy` wants `--yes` or the stack's name typed.
 */
export function register(program: Command): void {
  for (const { name, description } of operations) {
    const command = program
      // Removing the wrong stack is worse than a word more to type.
      .command(name === "destroy" ? "destroy <stack>" : `${name} [stack]`)
      .description(description)
      .option("--json", "print one JSON object on stdout instead of a report", false);
    if (name === "destroy") command.option("--yes", "don't ask", false);
    if (name === "refresh") command.option("--preview-only", "leave the state as it is", false);
    const text = markdownTexts[name];
    if (text !== undefined) command.addOption(new Option("--markdown", text).conflicts("json"));
    command.action(async (named: string | undefined, options: Options) => {
      const stack = named ?? defaultStack;
      if (options.markdown) {
        process.exitCode = exitCodeOf(await inMarkdown(name, stack));
        return;
      }
      if (name === "destroy" && !options.yes) await confirmDestroy(stack);
      const prepare =
        name === "preview" ? {} : { prepare: startDatabase(createLog({ quiet: options.json })) };
      const { json, previewOnly = false } = options;
      process.exitCode = exitCodeOf(await deploy(name, stack, { json, previewOnly, ...prepare }));
    });
  }
}

/** For GitHub. Loaded on demand: it is of no use to a deployment. */
async function inMarkdown(name: Operation, stack: string): Promise<StackResult> {
  const { driftIssue, previewComment } = await import("../preview/forGitHub");
  if (name === "preview") return previewComment(stack);
  const end = await startDatabase(createLog({ quiet: false }))(stack);
  try {
    return await driftIssue(stack);
  } finally {
    await end();
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
