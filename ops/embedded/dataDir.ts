/** What a data directory of the embedded database must look like before it is opened. Nothing here deletes data. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ExitCode, UserError } from "../../infra/errors";
import { dataFormat } from "./version";

const formatSchema = z.object({
  format: z.number().int(),
  pglite: z.string(),
  postgres: z.string(),
  /** False from before the first file is created until the database is usable. */
  complete: z.boolean(),
});

/** The build that is to open the directory. */
export interface EngineVersion {
  readonly pglite: string;
  readonly postgres: string;
}

/** `absent`: to be created. `interrupted`: a first start was killed before anything was in it. */
export type DataDirState = "absent" | "interrupted" | "ready";

/** Bytes that must be free: a new database takes 30 MB, and each of its log files 16 MB. */
const neededBytes = 128 * 1024 * 1024;

/** The file beside the data directory that says what is in it. */
export function formatFile(dataDir: string): string {
  return join(dirname(dataDir), "format.json");
}

/**
 * Looks, and changes nothing.
 * @throws UserError when the directory is another version's, damaged, or not ours.
 */
export function inspectDataDir(dataDir: string, engine: EngineVersion): DataDirState {
  const hasFiles =
    existsSync(dataDir) && (!statSync(dataDir).isDirectory() || readdirSync(dataDir).length > 0);
  const file = formatFile(dataDir);
  if (!existsSync(file)) {
    if (!hasFiles) return "absent";
    throw unusable(dataDir, `there is a database in ${dataDir}, but no ${file} that tells its version`);
  }
  const found = readFormat(file);
  if (found === undefined) throw unusable(dataDir, `${file} is damaged`);
  if (!found.complete) return "interrupted";
  if (found.format !== dataFormat || found.pglite !== engine.pglite || found.postgres !== engine.postgres) {
    const describe = (f: { format: number; pglite: string; postgres: string }): string =>
      `format ${f.format}, pglite ${f.pglite}, PostgreSQL ${f.postgres}`;
    throw unusable(
      dataDir,
      `the database in ${dataDir} was made by another version (${describe(found)}; ` +
        `this one needs ${describe({ format: dataFormat, ...engine })})`,
    );
  }
  if (!hasFiles) throw unusable(dataDir, `the database in ${dataDir} is gone, but ${file} says there is one`);
  checkFiles(dataDir, engine);
  return "ready";
}

/** The damage that can be seen without opening; the build would die of it without saying why. */
function checkFiles(dataDir: string, engine: EngineVersion): void {
  const missing = ["PG_VERSION", "global/pg_control", "base/1", "pg_wal", "pg_xact"].filter(
    (name) => !existsSync(join(dataDir, name)),
  );
  if (missing.length > 0) {
    throw unusable(dataDir, `the database in ${dataDir} is damaged: ${missing.join(", ")} missing`);
  }
  const version = readFileSync(join(dataDir, "PG_VERSION"), "utf8").trim();
  if (version !== engine.postgres) {
    throw unusable(
      dataDir,
      `the database in ${dataDir} is damaged or not ours: PG_VERSION is ${JSON.stringify(version.slice(0, 20))}, not ${engine.postgres}`,
    );
  }
  const control = statSync(join(dataDir, "global/pg_control")).size;
  if (control !== 8192) {
    throw unusable(
      dataDir,
      `the database in ${dataDir} is damaged: global/pg_control has ${control} bytes, not 8192`,
    );
  }
}

/** The error for contents that cannot be used: how to keep them and start afresh. */
export function unusable(dataDir: string, what: string): UserError {
  const folder = dirname(dataDir);
  return new UserError(what, {
    fix: `nothing was deleted; to start with a new database and keep the old one, run: mv ${folder} ${folder}.old`,
    exitCode: ExitCode.environment,
  });
}

/**
 * Makes room for a new database: removes what an interrupted first start left, and notes that one is being made.
 * Call it only for the states `absent` and `interrupted`.
 */
export function beginDataDir(dataDir: string, engine: EngineVersion): void {
  mkdirSync(dirname(dataDir), { recursive: true });
  writeFormat(dataDir, engine, false);
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir);
}

/** Notes that the new database is usable; from here on it is never removed. */
export function completeDataDir(dataDir: string, engine: EngineVersion): void {
  writeFormat(dataDir, engine, true);
}

function writeFormat(dataDir: string, engine: EngineVersion, complete: boolean): void {
  const file = formatFile(dataDir);
  const { pglite, postgres } = engine;
  writeFileSync(`${file}.new`, `${JSON.stringify({ format: dataFormat, pglite, postgres, complete })}\n`);
  renameSync(`${file}.new`, file);
}

function readFormat(file: string): z.infer<typeof formatSchema> | undefined {
  try {
    return formatSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

/** @throws UserError when the disk is (nearly) full: the engine would die in the middle of something. */
export function requireDiskSpace(dataDir: string): void {
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= neededBytes) return;
  const mb = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MB`;
  throw new UserError(`no disk space for the embedded database: ${mb(free)} free in ${folder}`, {
    fix: `free at least ${mb(neededBytes)}, or set MS5_LOCAL_DIR to a folder on another disk; the data there was not changed`,
    exitCode: ExitCode.environment,
  });
}
