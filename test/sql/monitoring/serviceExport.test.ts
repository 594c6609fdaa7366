// A series as a file over HTTP: whole or not at all, and nothing left open when nobody reads it.
import { type IncomingMessage, request } from "node:http";
import { parse } from "csv-parse/sync";
import { parquetMetadata } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../infra/schema/postgres";
import { deploySchema } from "../../../ops/bench/throwaway";
import { Database } from "../../../ops/monitoring/service/database";
import { embedded } from "../../support/embedded";
import { postgresBinaries, startPostgres } from "../../support/postgresServer";
import { api, onLoopback, problemOf, startTestService, type TestService } from "./serviceSupport";

const database = embedded();
/** More than what lies in buffers between a server and who does not read. */
const rows = 400_000;
let service: TestService;

beforeAll(async () => {
  await deploySchema(database.target);
  await withClient(database.target, async (client) => {
    await client.query("INSERT INTO factory_telemetry.machines (code, name) VALUES ('M-1.a', 'One')");
    await client.query(
      "INSERT INTO factory_telemetry.metrics (code, name, unit) VALUES ('speed', 'Speed', 'm/s'), ('none', 'None', '')",
    );
    await client.query(
      `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
       SELECT timestamptz '2026-03-02T00:00:00Z' + n * interval '1 second', n % 1000, 1, 1 FROM generate_series(0, $1::int - 1) AS n`,
      [rows],
    );
  });
  service = await startTestService(onLoopback(database.target.port, { singleSession: true }));
});
afterAll(() => service?.stop());

const series = "machine=M-1.a&metric=speed";
const day = "from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z";
const everything = "from=2026-03-02T00:00:00Z&to=2026-04-02T00:00:00Z";
const ask = (query: string) => service.get(`${api}/export?${query}`, "ms5.reader");

describe("export", () => {
  it("as CSV", async () => {
    const response = await ask(`${series}&${day}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/csv/);
    expect(response.headers.get("content-disposition")).toBe(
      'attachment; filename="M-1.a_speed_20260302T000000Z_20260303T000000Z.csv"',
    );
    const records = parse(await response.text(), { columns: true }) as { ts: string; value: string }[];
    expect(records).toHaveLength(86_400);
    expect(records[1_001]).toEqual({ ts: "2026-03-02T00:16:41.000000Z", value: "1" });
  });

  it("as Parquet", async () => {
    const response = await ask(`${series}&${day}&format=parquet`);
    expect(response.headers.get("content-type")).toBe("application/vnd.apache.parquet");
    expect(response.headers.get("content-disposition")).toContain('Z.parquet"');
    expect(parquetMetadata(await response.arrayBuffer()).num_rows).toBe(86_400n);
  });

  it("without a range: the newest day there is; of a series without samples: a header", async () => {
    expect((await (await ask(series)).text()).trimEnd().split("\r\n")).toHaveLength(86_401);
    expect(await (await ask("machine=M-1.a&metric=none")).text()).toBe("ts,value\r\n");
  });

  it("refuses in words what it cannot give, and leaves nothing open", async () => {
    for (const [query, status, detail] of [
      ["machine=M-2&metric=speed", 404, "no such machine"],
      [`${series}&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z`, 400, "at most 400 days"],
      [`${series}&machine=../../etc/passwd`, 400, 'parameter "machine"'],
    ] as const) {
      const response = await ask(query);
      expect(response.headers.get("content-disposition")).toBeNull();
      const problem = await problemOf(response);
      expect(problem.status).toBe(status);
      expect(problem.detail).toContain(detail);
    }
    expect(await (await ask(series)).text()).toContain("ts,value");
  });

  it("of who does not read keeps one connection, and gives it back when they go", async () => {
    const token = await service.token(["ms5.reader"]);
    const leaving = request(`${service.url}${api}/export?${series}&${everything}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    leaving.on("error", () => undefined).end();
    const response = await new Promise<IncomingMessage>((resolve) => leaving.once("response", resolve));
    response.on("error", () => undefined);
    expect(response.statusCode).toBe(200);
    // All there is here is one session, and it is taken.
    const other = await ask(series);
    expect(other.headers.get("retry-after")).toBe("1");
    expect((await problemOf(other)).detail).toBe("too many requests wait for the database");
    leaving.destroy();
    await expect.poll(async () => (await service.get(`${api}/machines`, "ms5.reader")).status).toBe(200);
    const again = await ask(`${series}&${everything}`);
    expect((await again.text()).trimEnd().split("\r\n")).toHaveLength(rows + 1);
  });

  it("is cut short, and not ended, when the service stops", async () => {
    const stopping = await startTestService(onLoopback(database.target.port, { singleSession: true }));
    const response = await stopping.get(`${api}/export?${series}&${everything}`, "ms5.reader");
    expect(response.status).toBe(200);
    await stopping.stop();
    await expect(response.text()).rejects.toThrow();
  });
});

describe.skipIf(postgresBinaries === undefined)("sessions", () => {
  it("are two at a time, and give their connection and their query back", async () => {
    const server = await startPostgres();
    const pool = new Database(onLoopback(server.target.port, { database: "postgres" }), 4);
    try {
      const first = await pool.session();
      const second = await pool.session();
      await expect(pool.session()).rejects.toMatchObject({ why: "busy" });
      expect((await second.query<{ one: number }>("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
      const slow = expect(first.query("SELECT pg_sleep(60)")).rejects.toMatchObject({ why: "slow" });
      first.close();
      first.close();
      await slow;
      const third = await pool.session();
      await expect(pool.session()).rejects.toMatchObject({ why: "busy" });
      second.close();
      third.close();
      expect(pool.counts()).toMatchObject({ idle: 0, waiting: 0 });
    } finally {
      await pool.close();
      await server.stop();
    }
  });
});
