import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExitCode, UserError } from "../../infra/errors";
import { beginDataDir, completeDataDir, formatFile, inspectDataDir } from "../../ops/embedded/dataDir";

const engine = { pglite: "1.0.0", postgres: "17" };

describe("inspectDataDir", () => {
  let folder: string;
  let dataDir: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ms5-datadir-"));
    dataDir = join(folder, ".local", "database");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function makeDatabase(): void {
    beginDataDir(dataDir, engine);
    for (const sub of ["global", "base/1", "pg_wal", "pg_xact"])
      mkdirSync(join(dataDir, sub), { recursive: true });
    writeFileSync(join(dataDir, "PG_VERSION"), "17\n");
    writeFileSync(join(dataDir, "global/pg_control"), Buffer.alloc(8192));
    completeDataDir(dataDir, engine);
  }

  function refusal(): UserError {
    try {
      inspectDataDir(dataDir, engine);
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
    throw new Error("was not refused");
  }

  it("sees that there is nothing yet", () => {
    expect(inspectDataDir(dataDir, engine)).toBe("absent");
    mkdirSync(dataDir, { recursive: true });
    expect(inspectDataDir(dataDir, engine)).toBe("absent");
  });

  it("sees a first start that was killed, and lets it start over", () => {
    beginDataDir(dataDir, engine);
    writeFileSync(join(dataDir, "PG_VERSION"), "17\n");
    expect(inspectDataDir(dataDir, engine)).toBe("interrupted");
    beginDataDir(dataDir, engine);
    expect(existsSync(join(dataDir, "PG_VERSION"))).toBe(false);
  });

  it("accepts a complete one", () => {
    makeDatabase();
    expect(inspectDataDir(dataDir, engine)).toBe("ready");
  });

  it.each<[string, () => void, RegExp]>([
    ["an older format", () => writeFormat({ format: 0 }), /made by another version \(format 0,/],
    ["a newer format", () => writeFormat({ format: 2 }), /made by another version \(format 2,/],
    [
      "another build",
      () => writeFormat({ pglite: "0.9" }),
      /another version \(format 1, pglite 0.9, PostgreSQL 17; this/,
    ],
    [
      "another PostgreSQL",
      () => writeFormat({ postgres: "16" }),
      /PostgreSQL 16; this one needs .* PostgreSQL 17\)/,
    ],
    ["a damaged format file", () => writeFileSync(formatFile(dataDir), "{"), /format.json is damaged/],
    ["no format file", () => rmSync(formatFile(dataDir)), /no .*format.json that tells its version/],
    ["no files", () => rmSync(dataDir, { recursive: true }), /is gone, but/],
    [
      "a missing file",
      () => rmSync(join(dataDir, "global/pg_control")),
      /damaged: global\/pg_control missing/,
    ],
    ["a short file", () => truncateSync(join(dataDir, "global/pg_control"), 100), /pg_control has 100 bytes/],
    [
      "a strange version",
      () => writeFileSync(join(dataDir, "PG_VERSION"), "\0\x01"),
      /PG_VERSION is "\\u0000\\u0001"/,
    ],
    [
      "a file in its place",
      () => replaceByFile(),
      /PG_VERSION, global\/pg_control, base\/1, pg_wal, pg_xact missing/,
    ],
  ])("refuses %s and says how to move it aside", (_, damage, message) => {
    makeDatabase();
    damage();
    const error = refusal();
    expect(error.message).toMatch(message);
    expect(error.fix).toContain(`mv ${dirname(dataDir)} ${dirname(dataDir)}.old`);
    expect(error.exitCode).toBe(ExitCode.environment);
  });

  function writeFormat(changed: object): void {
    writeFileSync(formatFile(dataDir), JSON.stringify({ format: 1, ...engine, complete: true, ...changed }));
  }

  function replaceByFile(): void {
    rmSync(dataDir, { recursive: true });
    writeFileSync(dataDir, "not a folder");
  }
});
