import type { Command } from "commander";
import { parseTarget, type RestoreTarget } from "../../infra/database/backups/target";
import { ExitCode, UserError } from "../../infra/errors";
import type { Clone, CloneState } from "../backups/clones";
import { type BackupPlace, backupPlace } from "../backups/place";
import { restorePoints } from "../backups/restorePoints";
import { createLog } from "../log";
import { findingLine, validationExitCode } from "../validate/check";
import { answer } from "./answer";

interface Options {
  readonly stack: string;
  readonly json: boolean;
}

/** `restore`, and `clone list|copy|drop` for what it makes. */
export function register(program: Command): void {
  const command = (to: Command, nameAndArguments: string, description: string): Command =>
    to
      .command(nameAndArguments)
      .description(description)
      .requiredOption("--stack <stack>", "whose backups")
      .option("--json", "print one JSON object on stdout instead of a report", false);

  command(program, "restore", "restore into a clone beside the running cluster, never over it")
    .requiredOption("--to <target>", "latest, a time with its zone, an LSN, or a restore point")
    .option("--into <name>", "name of the clone", defaultName(new Date()))
    .option(
      "--tables <tables>",
      "compare these with the running database, e.g. factory_telemetry.metric_hist",
    )
    .option("--yes", "make it", false)
    .action(async (options: Options & { to: string; into: string; tables?: string; yes: boolean }) => {
      const log = createLog({ quiet: options.json });
      const place = await backupPlace(options.stack, log);
      const { beginClone, requireCloneName, watchClone } = await import("../backups/clones");
      const name = requireCloneName(options.into);
      const target = await placed(place, parseTarget(options.to));
      if (!options.yes) {
        throw new UserError(
          `this makes clone ${name} of ${place.cluster.backups?.cloneVolume} in ${place.route.namespace}, restored to ${options.to}`,
          { fix: "say --yes to have it; the running cluster is not touched" },
        );
      }
      await beginClone(place, name, target);
      log.info(`clone ${name} is being made; Ctrl-C stops watching it, not making it`);
      const state = await watchClone(place, name, (line) => log.info(line));
      const tables = state.phase === "good" ? await compared(place, name, options.tables) : [];
      answer(options, { clone: name, ...state, tables }, () =>
        [...describe(name, state, options.stack), ...tables.map(tableLine)].join("\n"),
      );
      process.exitCode = exitCodeOf(state);
    });

  const clone = program.command("clone").description("restored copies: list, copy rows back, remove");
  command(clone, "list", "which there are").action(async (options: Options) => {
    const place = await backupPlace(options.stack, createLog({ quiet: options.json }));
    const { listClones } = await import("../backups/clones");
    const clones = await listClones(place);
    answer(options, { clones }, () => clones.map(cloneLine).join("\n") || "there is none");
  });

  command(clone, "copy <name>", "bring rows of a table back from a clone; what is there stays as it is")
    .requiredOption("--table <table>", "with its schema")
    .option("--from <time>", "inclusive, with a zone")
    .option("--until <time>", "exclusive, with a zone")
    .option("--yes", "do it", false)
    .action(
      async (
        name: string,
        options: Options & { table: string; from?: string; until?: string; yes: boolean },
      ) => {
        const log = createLog({ quiet: options.json });
        const place = await backupPlace(options.stack, log);
        await requireGood(place, name);
        if (!options.yes) {
          throw new UserError(
            `this adds rows of ${options.table} from clone ${name} to the database of stack "${options.stack}"`,
            { fix: "say --yes to do it" },
          );
        }
        const { cloneTarget } = await import("../backups/clones");
        const { copyBack } = await import("../restore/copyBack");
        const range = {
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.until === undefined ? {} : { to: options.until }),
        };
        const result = await copyBack(
          cloneTarget(place, name),
          place.target,
          { table: options.table, ...range },
          (line) => log.info(line),
        );
        answer(
          options,
          result,
          () =>
            `${result.inserted} rows of ${options.table} are back; ${result.alreadyThere} were there already`,
        );
      },
    );

  command(clone, "drop <name>", "remove one with all it has")
    .option("--yes", "do it", false)
    .action(async (name: string, options: Options & { yes: boolean }) => {
      const place = await backupPlace(options.stack, createLog({ quiet: options.json }));
      const { dropClone, requireCloneName } = await import("../backups/clones");
      requireCloneName(name);
      if (!options.yes) {
        throw new UserError(`this removes clone ${name} with all it has`, { fix: "say --yes to do it" });
      }
      const dropped = await dropClone(place, name);
      answer(options, { dropped }, () => (dropped ? `clone ${name} is gone` : `there is no clone ${name}`));
    });
}

function cloneLine({ name, target, madeAt, ready }: Clone): string {
  return `${name}  ${target.value ?? target.kind}  ${madeAt}  ${ready ? "good" : "not ready"}`;
}

/** `restore-20261122-1015`. */
function defaultName(now: Date): string {
  const [day = "", time = ""] = now.toISOString().split("T");
  return `restore-${day.replaceAll("-", "")}-${time.slice(0, 5).replace(":", "")}`;
}

/** Finds out where a restore point is: the backup to begin with has to end before it. */
async function placed(place: BackupPlace, target: RestoreTarget): Promise<RestoreTarget> {
  if (target.kind !== "name") return target;
  const points = await restorePoints(place);
  const lsn = points.findLast(({ name }) => name === target.value)?.lsn;
  if (lsn !== undefined) return { ...target, lsn };
  throw new UserError(`there is no restore point ${target.value}`, {
    fix: `see them with npm run ops -- backup list --stack ${place.config.stack}`,
  });
}

async function requireGood(place: BackupPlace, name: string): Promise<void> {
  const { cloneState } = await import("../backups/clones");
  const state = await cloneState(place, name);
  if (state?.phase === "good") return;
  throw new UserError(
    state === undefined
      ? `there is no clone ${name} that runs`
      : `clone ${name} is not good: ${state.reason ?? state.phase}`,
    { fix: `see them with npm run ops -- clone list --stack ${place.config.stack}` },
  );
}

interface ComparedTable {
  readonly table: string;
  readonly rowsInClone: number;
  readonly rowsNow: number;
}

async function compared(
  place: BackupPlace,
  name: string,
  tables: string | undefined,
): Promise<ComparedTable[]> {
  if (tables === undefined) return [];
  const { cloneTarget } = await import("../backups/clones");
  const { countRows } = await import("../backups/countRows");
  const names = tables.split(",").map((table) => table.trim());
  const [there, here] = await Promise.all([
    countRows(cloneTarget(place, name), names),
    countRows(place.target, names),
  ]);
  return names.map((table) => ({ table, rowsInClone: there[table] ?? 0, rowsNow: here[table] ?? 0 }));
}

function tableLine({ table, rowsInClone, rowsNow }: ComparedTable): string {
  return `${table}: ${rowsInClone} rows in the clone, ${rowsNow} now`;
}

function describe(name: string, state: CloneState, stack: string): string[] {
  const findings = state.findings.map(findingLine);
  if (state.phase === "failed") {
    return [
      ...findings,
      `clone ${name} is no copy to rely on: ${state.reason ?? "it failed"}`,
      `  fix: look at it, then npm run ops -- clone drop ${name} --stack ${stack} --yes`,
    ];
  }
  const at = state.recovered?.at ?? "the end of the archive";
  return [
    ...findings,
    `clone ${name} is good: as of ${at}, back after ${(state.ready_seconds ?? 0).toFixed(1)} s`,
    `  rows back:  npm run ops -- clone copy ${name} --stack ${stack} --table TABLE --from TIME --until TIME --yes`,
    `  remove it:  npm run ops -- clone drop ${name} --stack ${stack} --yes`,
  ];
}

/** 0: good, maybe with warnings. 1: an ERROR, or it did not get that far. 2: a CRITICAL. */
function exitCodeOf(state: CloneState): number {
  const code = validationExitCode(state);
  return state.phase === "failed" && code === ExitCode.ok ? ExitCode.failed : code;
}
