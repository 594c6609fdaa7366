import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batch } from "../../ops/ingest/batch";
import { batchesOf } from "../../ops/ingest/batches";
import { detectLayout } from "../../ops/ingest/layout";
import { linesOf } from "../../ops/ingest/lines";
import { Names } from "../../ops/ingest/names";
import { createRecordReader } from "../../ops/ingest/records";
import { createZone, utc } from "../../ops/ingest/zone";

const allowed = { earliest: new Date("2000-01-01T00:00:00Z"), latest: new Date("2030-01-01T00:00:00Z") };

function readerOf(head: string[], machine?: string) {
  const layout = detectLayout(head, "file.csv", "file");
  const machines = new Names();
  const metrics = new Names();
  const zoneOf = (name: string) => (name === "berlin" ? createZone("Europe/Berlin") : utc);
  const read = createRecordReader({ layout, allowed, machines, metrics, machine, zoneOf });
  return { layout, machines, metrics, read };
}

describe("records of a wide file", () => {
  const head = ["time,a,b", "2024-01-01 00:00:00,1,2"];

  it("makes a sample of every cell that holds a value", () => {
    const { read, machines, metrics } = readerOf(head, "m");
    const batch = new Batch(0, 1);
    expect(read("2024-01-01 00:00:00,1.5,", batch)).toBeUndefined();
    expect(read('"2024-01-01 00:00:01",2,3', batch)).toBeUndefined();
    const samples = Array.from({ length: batch.length }, (_, i) => [
      new Date((batch.times[i] ?? 0) / 1000).toISOString(),
      machines.list[batch.machines[i] ?? 0],
      metrics.list[batch.metrics[i] ?? 0],
      batch.values[i],
    ]);
    expect(samples).toEqual([
      ["2024-01-01T00:00:00.000Z", "m", "a", 1.5],
      ["2024-01-01T00:00:01.000Z", "m", "a", 2],
      ["2024-01-01T00:00:01.000Z", "m", "b", 3],
    ]);
  });

  it.each([
    ["2024-01-01 00:00:00,1", "2 fields instead of 3"],
    ["2024-01-01 00:00:00,1,2,3", "4 fields instead of 3"],
    ["yesterday,1,2", "yesterday is not a time we read"],
    [",1,2", "has no time"],
    ["2024-01-01 00:00:00,1,x", "b: x is not a number"],
    ["2024-01-01 00:00:00,1,NaN", "b: NaN is not a measured value"],
    ["2024-01-01 00:00:00,1e40,1", "a: 1e40 is too large for a real"],
    ["2024-01-01 00:00:00,,", "has no value"],
    ["1999-12-31 23:59:59,1,2", "1999-12-31 23:59:59 is before 2000-01-01T00:00:00.000Z"],
    ["2030-01-01 00:00:01,1,2", "2030-01-01 00:00:01 is after 2030-01-01T00:00:00.000Z"],
    ['2024-01-01 00:00:00,"1,2', "a quote is not closed, or text follows a closing quote"],
  ])("rejects %s as a whole", (line, reason) => {
    const batch = new Batch(0, 10);
    expect(readerOf(head, "m").read(line, batch)).toBe(reason);
    expect(batch.length).toBe(0);
  });

  it("keeps a column that is always empty out of the dictionary", () => {
    const { read, metrics } = readerOf(head, "m");
    read("2024-01-01 00:00:00,,2", new Batch(0, 10));
    expect(metrics.list).toEqual(["b"]);
  });
});

describe("records of a long file", () => {
  const head = ["time,machine,metric,value", "2024-07-01 00:00:00,berlin,speed,1"];

  it("takes machine and metric from the row, and local time in the machine's zone", () => {
    const { read, machines, metrics } = readerOf(head);
    const batch = new Batch(0, 10);
    read("2024-07-01 00:00:00,berlin,speed,1", batch);
    read("2024-07-01 00:00:00,other,torque,2", batch);
    expect([machines.list, metrics.list]).toEqual([
      ["berlin", "other"],
      ["speed", "torque"],
    ]);
    expect((batch.times[1] ?? 0) - (batch.times[0] ?? 0)).toBe(2 * 3_600_000_000);
  });

  it.each([
    ["2024-07-01 00:00:00,,speed,1", "names no machine"],
    ["2024-07-01 00:00:00,a,,1", "names no metric"],
    ["2024-07-01 00:00:00,a,speed,", "has no value"],
    [`2024-07-01 00:00:00,a,${"x".repeat(201)},1`, "the metric's name is longer than 200 characters"],
  ])("rejects %s", (line, reason) => {
    expect(readerOf(head).read(line, new Batch(0, 10))).toBe(reason);
  });
});

describe("batchesOf", () => {
  const good = fc.integer({ min: 0, max: 9999 }).map((n) => `2024-01-01 00:00:00.${n},${n},1`);
  const bad = fc.constantFrom("nonsense", "2024-01-01 00:00:00,x,1", "2024-01-01 00:00:00,,", '"');
  const blank = fc.constantFrom("", "  ");

  async function read(lines: string[], samples: number, done = 0) {
    const { read, layout } = readerOf(["time,a,b", "2024-01-01 00:00:00,1,1"], "m");
    async function* text() {
      yield ["time,a,b", ...lines].join("\n");
    }
    const batches: Batch[] = [];
    for await (const batch of batchesOf(linesOf(text()), {
      headerLine: layout.headerLine,
      done,
      samples,
      read,
    }))
      batches.push(batch);
    return {
      batches,
      values: batches.flatMap((batch) => [...batch.values.subarray(0, batch.length)]),
      rejects: batches.flatMap((batch) => batch.rejects.map(({ line, record }) => ({ line, record }))),
      records: batches.reduce((sum, batch) => sum + batch.records, 0),
    };
  }

  it("loses nothing and tears no record, whatever the size of a batch and wherever it carries on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(good, good, bad, blank), { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        async (lines, size, cut) => {
          const whole = await read(lines, 1000);
          const cutUp = await read(lines, size);
          expect({ ...cutUp, batches: 0 }).toEqual({ ...whole, batches: 0 });
          expect(whole.records).toBe(lines.filter((line) => line.trim() !== "").length);
          expect(whole.values.length / 2 + whole.rejects.length).toBe(whole.records);
          for (const { line, record } of whole.rejects) expect(lines[line - 2]).toBe(record);

          // Stopped behind any batch, the rest is what a new run reads.
          const kept = cutUp.batches.slice(0, cut % (cutUp.batches.length + 1));
          const done = kept.reduce((sum, batch) => sum + batch.records, 0);
          const rest = await read(lines, 3, done);
          const before = kept.flatMap((batch) => [...batch.values.subarray(0, batch.length)]);
          expect([...before, ...rest.values]).toEqual(whole.values);
          for (const batch of rest.batches.slice(0, 1)) expect(batch.firstRecord).toBe(done);
        },
      ),
    );
  });
});
