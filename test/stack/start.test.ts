// `npm start` as a newcomer meets it: from nothing, a second time, beside itself, interrupted, and with what it needs
// taken or broken.
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StartResult } from "../../ops/start/result";
import { generateLine } from "../../ops/telemetry/generator";
import { CommandStack } from "../support/commandStack";
import { wideCsv } from "../support/csv";
import { freePort } from "../support/freePort";
import { realTelemetry } from "../support/realTelemetry";

let port: number;
let stack: CommandStack;
let files: string[];
beforeAll(async () => {
  port = await freePort();
  stack = new CommandStack("local", { MS5_DATABASE_PORT: String(port) });
  files = telemetry();
});
afterAll(() => stack?.remove());

/** How many the repository has. */
const migrations = readdirSync("sql/migrations").filter((name) => /^\d{4}-[^.]+\.sql$/.test(name)).length;

/** Three SKAB files and the NAB one; two days of the generator where there are none. */
function telemetry(): string[] {
  if (realTelemetry !== undefined) {
    const all = readdirSync(realTelemetry, { recursive: true, encoding: "utf8" });
    const found = all.filter((name) => name.endsWith(".csv")).sort();
    return [...found.filter((name) => name.startsWith("nab")), ...found.slice(-3)].map((name) =>
      join(realTelemetry ?? "", name),
    );
  }
  process.stderr.write("npm start is tested with generated telemetry: no ../shared/data, no MS5_DATA_DIR\n");
  const line = generateLine({
    seed: 3,
    start: new Date("2026-01-07T00:00:00Z"),
    end: new Date("2026-01-09T00:00:00Z"),
    intervalSeconds: 30,
  });
  const file = join(stack.folder, "telemetry.csv");
  writeFileSync(file, [...wideCsv(line)].join(""));
  return [file];
}

async function start(): Promise<StartResult> {
  const { code, stdout, stderr } = await stack.command([
    "start",
    "--once",
    "--json",
    "--telemetry",
    ...files,
  ]);
  expect(`${code} ${stderr}`).toBe("0 ");
  // Exactly one object: anything else on stdout would not parse.
  return JSON.parse(stdout);
}

/** As a browser does, which gets a cookie with the page. */
async function readPage(url: string): Promise<void> {
  const page = await fetch(url);
  expect([page.status, page.headers.get("content-type")]).toEqual([
    200,
    expect.stringContaining("text/html"),
  ]);
  expect((await fetch(`${url}assets/uplot/uPlot.esm.js`)).status).toBe(200);
  const api = `${url}api/v1/monitoring`;
  const health = await fetch(`${api}/health`);
  expect([health.status, await health.json()]).toEqual([200, expect.objectContaining({ status: "healthy" })]);
  const cookie = page.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const answer = await fetch(`${api}/metrics/hypertables`, { headers: { cookie } });
  const { hypertables } = (await answer.json()) as { hypertables: { name: string; rows: number | null }[] };
  expect(hypertables.find(({ name }) => name === "metric_hist")?.rows).toBeGreaterThan(10_000);
  expect((await fetch(`${api}/metrics/hypertables`)).status).toBe(401);
  expect(await statusFor(url, "evil.test")).toBe(421);
}

/** fetch lets no Host header through. */
async function statusFor(url: string, host: string): Promise<number | undefined> {
  const [response] = await once(request(url, { headers: { host } }).end(), "response");
  response.resume();
  return response.statusCode;
}

/** Command lines of processes that were told of a folder, by their arguments or their environment. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        const [line, env] = ["cmdline", "environ"].map((file) =>
          readFileSync(`/proc/${pid}/${file}`, "utf8"),
        );
        return `${line}${env}`.includes(folder) ? [`${pid} ${line}`] : [];
      } catch {
        // It has just ended, or is not ours.
        return [];
      }
    });
}

describe("npm start", () => {
  it("takes the program to a validated database with telemetry in it, and the second time changes nothing", async () => {
    const first = await start();
    expect(first).toEqual({
      engine: { pulumi: expect.stringMatching(/^3\./), standIns: expect.any(Array) },
      database: { postgres: "17.5", timescaledb: expect.stringMatching(/^2\./), license: "timescale" },
      resources: { created: expect.any(Number), updated: 0, replaced: 0, deleted: 0, unchanged: 0 },
      migrations: { applied: migrations, pending: 0 },
      telemetry: {
        files: files.length,
        rows: expect.any(Number),
        rejected: 0,
        duplicates: expect.any(Number),
        rowsPerSecond: expect.any(Number),
      },
      compression: { beforeBytes: expect.any(Number), afterBytes: expect.any(Number) },
      aggregates: { metricHourlyRows: expect.any(Number), oeeHourlyRows: 0 },
      validation: { checks: 20, failed: 0 },
      page: null,
      seconds: expect.any(Number),
    });
    expect(first.telemetry.rows).toBeGreaterThan(10_000);
    expect(first.compression.afterBytes).toBeLessThan(first.compression.beforeBytes / 2);
    expect(first.aggregates.metricHourlyRows).toBeGreaterThan(0);

    const second = await start();
    expect(second.resources).toEqual({
      created: 0,
      updated: 0,
      replaced: 0,
      deleted: 0,
      unchanged: first.resources.created,
    });
    expect(second.telemetry).toMatchObject({
      rows: 0,
      rejected: 0,
      duplicates: first.telemetry.rows + first.telemetry.duplicates,
    });
    expect(second.aggregates).toEqual(first.aggregates);
  });

  it("stays up with a page, for one at a time, and ends by Ctrl-C with nothing left behind", async () => {
    const running = stack.begin(["start", "--telemetry", ...files]);
    const said = text(running.stderr);
    let report = "";
    running.stdout.setEncoding("utf8").on("data", (part: string) => {
      report += part;
    });
    while (!report.includes("Ctrl-C")) await once(running.stdout, "data");
    expect(report).toContain(`postgres://postgres@127.0.0.1:${port}/template1`);

    const url = /Status page (http:\/\/127\.0\.0\.1:\d+\/)/.exec(report)?.[1] ?? "";
    expect(url).toBe(`http://127.0.0.1:${port + 1}/`);
    await readPage(url);

    const other = await stack.command(["start", "--once", "--json"]);
    expect(other).toMatchObject({ code: 3, stdout: "" });
    expect(other.stderr).toContain(`\`npm start\` is already running`);
    expect(other.stderr).toContain("fix: use that one, or stop it with Ctrl-C");
    // What works with the stack uses the database that runs.
    expect(await stack.command(["validate"])).toMatchObject({ code: 0 });

    running.kill("SIGINT");
    expect(await once(running, "exit")).toEqual([0, null]);
    expect(await said).toContain("stopping");
    expect(existsSync(join(stack.folder, "database.lock"))).toBe(false);
    expect(processesOf(stack.folder)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("names a port that is taken, and changes nothing", async () => {
    const other = createServer().listen(port, "127.0.0.1");
    await once(other, "listening");
    const result = await stack.command(["start", "--once", "--json"]);
    other.close();
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toContain(`port ${port} on 127.0.0.1 is taken`);
    expect(result.stderr).toContain("MS5_DATABASE_PORT");
  });

  it("refuses telemetry that is not there, before anything is made", async () => {
    const fresh = new CommandStack("local", { MS5_DATABASE_PORT: String(port) });
    const result = await fresh.command(["start", "--once", "--json", "--telemetry", "no-such.csv"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain("no-such.csv does not exist");
    expect(readdirSync(fresh.folder)).toEqual([]);
    fresh.remove();
  });

  it("leaves a .local of another version alone, and says what to do", async () => {
    const format = join(stack.folder, "format.json");
    const written = readFileSync(format, "utf8");
    writeFileSync(format, written.replace(/"format":\s*\d+/, '"format": 0'));
    expect(readFileSync(format, "utf8")).not.toBe(written);
    const result = await stack.command(["start", "--once", "--json"]);
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toMatch(/another version|older version|format/);
    expect(result.stderr).toContain("fix: ");
    expect(existsSync(join(stack.folder, "database", "PG_VERSION"))).toBe(true);
  });
});
