import { enableCompileCache } from "node:module";
import { Command } from "commander";
import { ExitCode } from "../infra/errors";
import { compileCache } from "./engine/toolCache";
import { explain } from "./explain";

interface CommandModule {
  register(program: Command): void;
}

/** By the first word of the command line. Each is loaded when it is wanted: the Pulumi SDK alone takes 130 MB. */
const commands: Readonly<Record<string, () => Promise<CommandModule>>> = {
  start: () => import("./commands/start"),
  preview: () => import("./commands/deploy"),
  up: () => import("./commands/deploy"),
  refresh: () => import("./commands/deploy"),
  destroy: () => import("./commands/deploy"),
  ingest: () => import("./commands/ingest"),
  validate: () => import("./commands/validate"),
  migrate: () => import("./commands/migrate"),
  schema: () => import("./commands/schema"),
  advise: () => import("./commands/advise"),
  bench: () => import("./commands/bench"),
  switchover: () => import("./commands/switchover"),
  backup: () => import("./commands/backup"),
  drill: () => import("./commands/backup"),
  restore: () => import("./commands/restore"),
  clone: () => import("./commands/restore"),
  export: () => import("./commands/export"),
  import: () => import("./commands/export"),
  cost: () => import("./commands/cost"),
  monitoring: () => import("./commands/monitoring"),
  docs: () => import("./commands/docs"),
  affected: () => import("./preview/affectedCommand"),
};

async function main(argv: string[]): Promise<number> {
  enableCompileCache(compileCache().NODE_COMPILE_CACHE);
  const program = new Command("ms5")
    .description("A TimescaleDB a factory can trust: deploy it, fill it, look after it")
    .exitOverride()
    .showHelpAfterError();
  const wanted = commands[argv[2] ?? ""];
  // For help and for a misspelt name, all of them; one module may bring several commands.
  const loaders = wanted === undefined ? Object.values(commands) : [wanted];
  for (const module of new Set(await Promise.all(loaders.map((load) => load())))) module.register(program);
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? ExitCode.ok);
  } catch (error) {
    return explain(error);
  }
}

// Who reads us may stop reading (`| head`): a deployment goes on to its end, and tells nobody.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

void main(process.argv).then((exitCode) => {
  // Not process.exit(): what is still being written to a pipe must arrive.
  process.exitCode = exitCode;
});
