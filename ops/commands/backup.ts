import type { Command } from "commander";
import { backupKinds, cronJobOf } from "../../infra/database/backups/settings";
import { pointName } from "../../infra/database/backups/target";
import { ExitCode, UserError } from "../../infra/errors";
import { makeRestorePoint } from "../../infra/schema/restorePoint";
import { asOwner } from "../asOwner";
import type { BackupInfo, RepositoryInfo } from "../backups/info";
import { backupPlace } from "../backups/place";
import { type RecordedPoint, restorePoints } from "../backups/restorePoints";
import { createLog } from "../log";
import { type Finding, findingLine, validationExitCode } from "../validate/check";
import { answer } from "./answer";

interface Options {
  readonly stack: string;
  readonly json: boolean;
}

/** `backup list|run|point|check`, and `drill`. */
export function register(program: Command): void {
  const backup = program
    .command("backup")
    .description("backups of a stack's cluster: look, make, name a point, check");
  const command = (to: Command, nameAndArguments: string, description: string): Command =>
    to
      .command(nameAndArguments)
      .description(description)
      .requiredOption("--stack <stack>", "whose cluster")
      .option("--json", "print one JSON object on stdout instead of a report", false);

  command(backup, "list", "what the repositories hold, and the restore points").action(
    async (options: Options) => {
      const place = await backupPlace(options.stack, createLog({ quiet: options.json }));
      const { repositoryInfo } = await import("../backups/members");
      const info = await repositoryInfo(place);
      const points = await restorePoints(place);
      answer(options, { ...info, points }, () =>
        [...describeInfo(info), ...describePoints(points)].join("\n"),
      );
      if (Object.keys(info.problems).length > 0) process.exitCode = ExitCode.failed;
    },
  );

  command(backup, "run <kind>", "make a backup now: full, differential or incremental").action(
    async (kind: string, options: Options) => {
      const wanted = backupKinds.find((known) => known === kind);
      if (wanted === undefined) {
        throw new UserError(`"${kind}" is no kind of backup`, {
          fix: `use one of: ${backupKinds.join(", ")}`,
        });
      }
      const { succeeded, lines } = await run(options, cronJobOf(wanted));
      const label = /^backup (\S+) is complete$/.exec(lines.at(-1) ?? "")?.[1];
      if (!succeeded || label === undefined) throw jobFailed("the backup", lines);
      answer(options, { label }, () => `backup ${label} is complete`);
    },
  );

  command(backup, "point <name>", "name this moment, so that a restore can end at it").action(
    async (name: string, options: Options) => {
      if (!pointName.test(name)) {
        throw new UserError(`"${name}" is no name for a restore point`, {
          fix: "use up to 63 of a-z, 0-9, -, _ and ., beginning with a letter",
        });
      }
      const place = await backupPlace(options.stack, createLog({ quiet: options.json }));
      const point = await asOwner(place.target, async (client) => {
        const taken = await client.query("SELECT FROM audit.restore_points WHERE name = $1", [name]);
        if ((taken.rowCount ?? 0) > 0) {
          throw new UserError(`there is a restore point ${name} already`, { fix: "choose another name" });
        }
        return makeRestorePoint(client, name, "by hand");
      });
      if (point === undefined) {
        throw new UserError(`the cluster of stack "${options.stack}" archives nothing yet`, {
          fix: "let `npm run up` finish with backups.storage set",
        });
      }
      answer(options, point, () => `restore point ${point.name} is at ${point.lsn}`);
    },
  );

  command(backup, "check", "would a restore be possible? 0: yes, 1: an ERROR, 2: a CRITICAL").action(
    async (options: Options) => {
      const place = await backupPlace(options.stack, createLog({ quiet: options.json }));
      const { inMember } = await import("../backups/members");
      const text = await inMember(place, ["python3", "/ms5/agent/check_backups.py"], {
        who: "primary",
        timeoutMs: 300_000,
      });
      const findings = JSON.parse(text) as Finding[];
      answer(options, { findings }, () => findings.map(findingLine).join("\n"));
      process.exitCode = validationExitCode({ findings });
    },
  );

  command(program, "drill", "restore the newest backup on trial, and compare it with the database").action(
    async (options: Options) => {
      const { lines } = await run(options, "drill");
      const result = readDrill(lines);
      if (result === undefined) throw jobFailed("the drill", lines);
      answer(options, result, () => describeDrill(result));
      process.exitCode = validationExitCode(result);
      if (!result.passed && process.exitCode === ExitCode.ok) process.exitCode = ExitCode.failed;
    },
  );
}

async function run(options: Options, cronJob: string) {
  const log = createLog({ quiet: options.json });
  const place = await backupPlace(options.stack, log);
  const { runJob } = await import("../backups/job");
  return runJob(place.kubernetes, place.route.namespace, cronJob, (line) => {
    // Its last line is the result, which is printed as such.
    if (!line.startsWith("{")) log.info(line);
  });
}

function jobFailed(what: string, lines: readonly string[]): UserError {
  return new UserError(`${what} failed: ${lines.at(-1) ?? "it said nothing"}`, {
    fix: "see what it said above, and npm run ops -- backup check",
    exitCode: ExitCode.failed,
  });
}

function describeInfo({ backups, restorableFrom, archivedUntil, problems }: RepositoryInfo): string[] {
  return [
    ...Object.entries(problems).map(([repository, problem]) => `repository ${repository}: ${problem}`),
    ...backups.map(describeBackup),
    restorableFrom === undefined
      ? "no backup yet: nothing can be restored"
      : `any point in time from ${restorableFrom} on can be restored; archived until segment ${archivedUntil ?? "none"}`,
  ];
}

function describeBackup({
  label,
  type,
  repository,
  endedAt,
  databaseBytes,
  storedBytes,
}: BackupInfo): string {
  return `${endedAt}  ${type.padEnd(4)}  ${label}  ${mebibytes(databaseBytes)} in ${mebibytes(storedBytes)}  repository ${repository}`;
}

function describePoints(points: readonly RecordedPoint[]): string[] {
  return points.map(({ at, name, lsn, why }) => `${at}  point ${name}  ${lsn}  ${why}`);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

interface DrillResult {
  readonly passed: boolean;
  readonly label: string | null;
  readonly target: string | null;
  readonly restore_seconds: number | null;
  readonly loss_seconds: number | null;
  readonly tables: number;
  readonly rows: number;
  readonly detail: string | null;
  readonly findings: readonly Finding[];
}

function readDrill(lines: readonly string[]): DrillResult | undefined {
  const last = lines.at(-1) ?? "";
  return last.startsWith("{") ? (JSON.parse(last) as DrillResult) : undefined;
}

function describeDrill(drill: DrillResult): string {
  const seconds = (value: number | null) => (value === null ? "not measured" : `${value.toFixed(1)} s`);
  return [
    ...drill.findings.map(findingLine),
    `backup ${drill.label ?? "none"}: ${drill.rows} rows in ${drill.tables} tables; back after ${seconds(drill.restore_seconds)}, a write was safe after ${seconds(drill.loss_seconds)}`,
    drill.passed ? "the drill passed" : `the drill failed: ${drill.detail ?? ""}`,
  ].join("\n");
}
