import { execFile } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ms5-ingest-memory-"));
const path = join(folder, "large.csv");
const rows = 2_500_000;

/** 117 MB: kept as text alone, it would fill what is left of 200 MB beside Node and the programs. */
beforeAll(async () => {
  await pipeline(
    Readable.from(
      (function* () {
        yield "time,machine,metric,value\n";
        for (let i = 0; i < rows; i += 1000) {
          const time = new Date(Date.UTC(2024, 0, 1) + i).toISOString();
          yield Array.from({ length: 1000 }, (_, k) => `${time},filler-1,metric-${k},${k}.25\n`).join("");
        }
      })(),
    ),
    createWriteStream(path),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

it("reads a file of millions of rows in less than 200 MB", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--require",
    createRequire(__filename).resolve("tsx/cjs"),
    join(__dirname, "ingestReadChild.ts"),
    path,
  ]);
  const { samples, megabytes } = JSON.parse(stdout) as { samples: number; megabytes: number };
  expect(samples).toBe(rows);
  expect(megabytes).toBeLessThan(200);
});
