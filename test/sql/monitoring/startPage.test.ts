// The status page of `npm start` by itself.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { embeddedTarget } from "../../../ops/embedded";
import type { Log } from "../../../ops/log";
import { startPage } from "../../../ops/start/page";
import { freePort } from "../../support/freePort";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function listening() {
  const warnings: string[] = [];
  const log: Log = { info: () => undefined, warn: (line) => warnings.push(line) };
  return { log, warnings };
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ms5-page-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it("is this checkout's, and nothing else that was there", async () => {
  const [folder, port] = [await emptyFolder(), await freePort()];
  await writeFile(join(folder, "old.js"), "");
  const { log, warnings } = listening();
  const page = await startPage(embeddedTarget(port - 1), folder, log);
  cleanups.push(async () => page?.close());
  expect(page?.url).toBe(`http://127.0.0.1:${port}/`);
  const status = async (path: string) => (await fetch(`${page?.url}${path}`)).status;
  expect(await status("")).toBe(200);
  expect(await status("main.js")).toBe(200);
  expect(await status("assets/uplot/uPlot.min.css")).toBe(200);
  expect(await status("old.js")).toBe(404);
  expect(await status("tsconfig.json")).toBe(404);
  // The database is away, which the page says, and not the terminal.
  expect(await status("api/v1/monitoring/health")).toBe(503);
  expect(warnings).toEqual([]);
});

it("is done without when its port is taken, and what to do is said", async () => {
  const port = await freePort();
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  cleanups.push(async () => other.close());
  const { log, warnings } = listening();
  expect(await startPage(embeddedTarget(port - 1), await emptyFolder(), log)).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining(`port ${port} on 127.0.0.1 is taken`)]);
  expect(warnings[0]).toContain("MS5_DATABASE_PORT");
  expect(await startPage(embeddedTarget(65_535), await emptyFolder(), log)).toBeUndefined();
  expect(warnings[1]).toContain("port 65536 on 127.0.0.1 does not exist");
});
