import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateLine, type Line, type LineOptions } from "../../ops/telemetry/generator";
import { type State, states } from "../../ops/telemetry/types";

const hour = 3_600;

/** A working week, Monday 00:00 to Sunday 24:00 UTC; the night shift ends at 05:00 UTC. */
const week = { start: new Date("2026-11-09T00:00:00Z"), end: new Date("2026-11-16T00:00:00Z") };

function lineOf(options: Partial<LineOptions> = {}): Line {
  return generateLine({ seed: 1, intervalSeconds: 60, ...week, ...options });
}

interface Sample {
  readonly ts: number;
  readonly machine: number;
  readonly metric: string | undefined;
  readonly value: number | undefined;
}

function samplesOf(line: Line, batchSamples?: number): Sample[] {
  return [...line.samples(batchSamples)].flatMap(({ length, times, values, machines, metrics }) =>
    Array.from({ length }, (_, i) => ({
      ts: (times[i] ?? 0) / 1e6,
      machine: machines[i] ?? -1,
      metric: line.metrics[metrics[i] ?? -1]?.code,
      value: values[i],
    })),
  );
}

/** Seconds since 1970. */
function at({ ts }: { ts: Date }): number {
  return ts.getTime() / 1_000;
}

const seeds = fc.integer({ min: -(2 ** 31), max: 2 ** 31 });
/** Windows of up to three days, begun at a full hour somewhere in 2025 to 2027. */
const windows = fc
  .record({ startHour: fc.integer({ min: 0, max: 3 * 365 * 24 }), hours: fc.integer({ min: 1, max: 72 }) })
  .map(({ startHour, hours }) => {
    const start = Date.UTC(2025, 0, 1) + startHour * 3_600_000;
    return { start: new Date(start), end: new Date(start + hours * 3_600_000) };
  });
const timezones = fc.constantFrom(
  "Europe/Berlin",
  "UTC",
  "America/New_York",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Africa/Cairo",
);
const property = { numRuns: 25 };

describe("generateLine", () => {
  it("gives the same rows for the same seed, whatever the size of the batches", () => {
    const options = {
      end: new Date(week.start.getTime() + 7 * hour * 1_000),
      intervalSeconds: 600,
      machines: 7,
    };
    const expected = samplesOf(lineOf(options));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), (batchSamples) => {
        const line = lineOf(options);
        const sizes = [...line.samples(batchSamples)].map(({ length }) => length);
        expect(new Set(sizes.slice(0, -1))).toEqual(new Set(sizes.length > 1 ? [batchSamples] : []));
        expect(samplesOf(line, batchSamples)).toEqual(expected);
      }),
      property,
    );
    expect(expected.length).toBe(lineOf(options).sampleCount);
  });

  it("gives other rows for another seed", () => {
    const options = { start: new Date("2026-11-10T08:00:00Z"), end: new Date("2026-11-10T20:00:00Z") };
    expect(samplesOf(lineOf({ ...options, seed: 2 }))).not.toEqual(samplesOf(lineOf(options)));
    expect([...lineOf({ ...options, seed: 2 }).oee()]).not.toEqual([...lineOf(options).oee()]);
  });

  it("agrees with itself where windows overlap, and at every sampling interval", () => {
    fc.assert(
      fc.property(
        seeds,
        windows,
        timezones,
        fc.integer({ min: 1, max: 40 }),
        (seed, window, timezone, hoursBefore) => {
          const shared = { seed, timezone, machines: 2 };
          const narrow = lineOf({ ...shared, ...window, intervalSeconds: 1_800 });
          const start = new Date(window.start.getTime() - hoursBefore * 3_600_000);
          const wide = lineOf({
            ...shared,
            start,
            end: new Date(window.end.getTime() + 3_600_000),
            intervalSeconds: 900,
          });
          const inside = ({ ts }: { ts: Date }) => ts >= window.start && ts < window.end;
          const orderNames = (line: Line) => (row: { order: number | null }) => ({
            ...row,
            order: row.order === null ? null : line.orders[row.order]?.orderNo,
          });
          expect(samplesOf(narrow)).toEqual(
            samplesOf(wide).filter(({ ts }) => ts % 1_800 === 0 && inside({ ts: new Date(ts * 1_000) })),
          );
          expect([...narrow.oee()].map(orderNames(narrow))).toEqual(
            [...wide.oee()].filter(inside).map(orderNames(wide)),
          );
          expect([...narrow.kpis()].map(orderNames(narrow))).toEqual(
            [...wide.kpis()].filter(inside).map(orderNames(wide)),
          );
          expect([...narrow.context()].filter(inside).map(orderNames(narrow))).toEqual(
            [...wide.context()].filter(inside).map(orderNames(wide)),
          );
        },
      ),
      property,
    );
  });

  it("has every row inside the window", () => {
    fc.assert(
      fc.property(windows, timezones, (window, timezone) => {
        const line = lineOf({ ...window, timezone });
        const times = [...line.oee(), ...line.kpis()].map(({ ts }) => ts);
        expect(times.filter((ts) => ts < window.start || ts >= window.end)).toEqual([]);
        const samples = samplesOf(line).map(({ ts }) => ts * 1_000);
        expect(samples[0]).toBe(window.start.getTime());
        expect(samples.at(-1)).toBe(window.end.getTime() - 60_000);
        expect(samples.every((ts, i) => ts >= (samples[i - 1] ?? 0))).toBe(true);
      }),
      property,
    );
  });

  it("refuses options that make no sense", () => {
    expect(() => lineOf({ intervalSeconds: 0 })).toThrow("intervalSeconds is 0");
    expect(() => lineOf({ machines: 1.5 })).toThrow("machines is 1.5");
    expect(() => lineOf({ seed: Number.NaN })).toThrow("seed is NaN");
    expect(() => lineOf({ start: week.end, end: week.start })).toThrow("before it starts");
    expect(() => lineOf({ timezone: "Mars/Olympus" })).toThrow("unknown time zone");
  });

  it("builds as many lines as the machines fill", () => {
    const line = lineOf({ machines: 7, end: week.start });
    expect(line.machines.map(({ code }) => code)).toEqual([
      "L1-filler",
      "L1-capper",
      "L1-labeller",
      "L1-case-packer",
      "L1-palletiser",
      "L2-filler",
      "L2-capper",
    ]);
    expect(line.sampleCount).toBe(0);
    expect([...line.samples()]).toEqual([]);
  });
});

describe("OEE windows", () => {
  it("keep the rules of their table", () => {
    fc.assert(
      fc.property(seeds, windows, timezones, (seed, window, timezone) => {
        for (const row of lineOf({ seed, ...window, timezone }).oee()) {
          expect(row.goodCount).toBeGreaterThanOrEqual(0);
          expect(row.goodCount).toBeLessThanOrEqual(row.totalCount);
          expect(row.runS).toBeGreaterThanOrEqual(0);
          expect(row.runS).toBeLessThanOrEqual(row.plannedS);
          expect((at(row) % hour) + row.plannedS).toBeLessThanOrEqual(hour);
          // Performance above 1 by no more than the piece that was begun in the window before.
          expect((row.totalCount - 1) * row.idealCycleS).toBeLessThanOrEqual(row.runS);
        }
      }),
      property,
    );
  });

  it("tile the shifts of a week without gap or overlap", () => {
    const line = lineOf();
    const byMachine = line.machines.map((_, machine) =>
      [...line.oee()].filter((row) => row.machine === machine),
    );
    for (const rows of byMachine) {
      // Early and late shift until 21:00 UTC, night until 05:00 UTC: from Monday 05:00 to Saturday 05:00.
      const first = Date.UTC(2026, 10, 9, 5) / 1_000;
      const last = Date.UTC(2026, 10, 14, 5) / 1_000;
      expect(at(rows[0] ?? { ts: new Date(0) })).toBe(first);
      const lengths = rows.map((row, i) => {
        const next = rows[i + 1];
        return (next === undefined ? last : at(next)) - at(row);
      });
      for (const [i, row] of rows.entries()) {
        const length = lengths[i] ?? 0;
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(600);
        expect(row.plannedS).toBeLessThanOrEqual(length);
        expect(Math.floor(at(row) / hour)).toBe(Math.floor((at(row) + length - 1) / hour));
        const utcHour = row.ts.getUTCHours();
        expect(row.shift).toBe(utcHour >= 5 && utcHour < 13 ? 0 : utcHour >= 13 && utcHour < 21 ? 1 : 2);
      }
      // Half an hour of each of the 15 shifts is a break.
      expect(rows.reduce((sum, row) => sum + row.plannedS, 0)).toBe(5 * 24 * hour - 15 * 1_800);
    }
  });

  it("agree with the history of states, the piece counters and the hourly figures", () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom("Europe/Berlin", "Asia/Kolkata"), (seed, timezone) => {
        const window = { start: new Date("2026-11-10T00:00:00Z"), end: new Date("2026-11-12T00:00:00Z") };
        const line = lineOf({ seed, timezone, ...window, intervalSeconds: 600 });
        const oee = [...line.oee()];
        const kpis = [...line.kpis()];
        const counts = samplesOf(line).filter(({ metric }) => metric === "piece_count");
        for (const machine of line.machines.keys()) {
          const mine = <T extends { machine: number }>(rows: readonly T[]) =>
            rows.filter((row) => row.machine === machine);
          const seconds = secondsByState(mine([...line.context()]), window);
          const sum = (of: (row: (typeof oee)[number]) => number) =>
            mine(oee).reduce((total, row) => total + of(row), 0);
          expect(sum((row) => row.runS)).toBe(seconds.running);
          expect(sum((row) => row.plannedS)).toBe(2 * 24 * hour - seconds.planned_stop);

          // The counter begins again at 0 with the production day.
          const counter = new Map(mine(counts).map(({ ts, value = 0 }) => [ts, value]));
          const inTenMinutes = new Map<number, number>();
          for (const row of mine(oee)) {
            const from = at(row) - (at(row) % 600);
            inTenMinutes.set(from, (inTenMinutes.get(from) ?? 0) + row.totalCount);
          }
          let compared = 0;
          for (const [from, total] of inTenMinutes) {
            const before = counter.get(from);
            const after = counter.get(from + 600);
            if (before === undefined || after === undefined || after < before) continue;
            expect(after - before).toBe(total);
            compared += 1;
          }
          expect(compared).toBeGreaterThan(280);

          const kpi = (of: (row: (typeof kpis)[number]) => number) =>
            mine(kpis).reduce((total, row) => total + of(row), 0);
          expect(kpi((row) => row.totalCount)).toBe(sum((row) => row.totalCount));
          expect(kpi((row) => row.goodCount)).toBe(sum((row) => row.goodCount));
          expect(kpi((row) => row.downtimeS)).toBe(seconds.breakdown + seconds.idle);
          expect(kpi((row) => row.changeoverS)).toBe(seconds.setup);
        }
      }),
      property,
    );
  });

  it("show losses of every kind", () => {
    const rows = [...lineOf().oee()].filter((row) => row.runS === 600);
    const performance = rows.map((row) => (row.totalCount * row.idealCycleS) / row.runS);
    const quality = rows.map((row) => row.goodCount / row.totalCount);
    expect(Math.min(...performance)).toBeLessThan(0.75);
    expect(Math.max(...performance)).toBeGreaterThan(0.95);
    expect(Math.min(...quality)).toBeLessThan(0.97);
    expect(Math.max(...quality)).toBeGreaterThan(0.99);
    const seen = new Set([...lineOf().context()].map(({ state }) => state));
    expect([...states].filter((state) => !seen.has(state))).toEqual([]);
  });

  it("give the night shift an hour less when the clocks go forward in it", () => {
    // In Cairo on Friday 24 April 2026 at 00:00.
    const line = lineOf({
      timezone: "Africa/Cairo",
      start: new Date("2026-04-23T20:00:00Z"),
      end: new Date("2026-04-24T03:00:00Z"),
    });
    const shifts = new Set([...line.oee()].map(({ shift }) => shift));
    expect(shifts).toEqual(new Set([2]));
    const planned = [...line.oee()]
      .filter(({ machine }) => machine === 0)
      .reduce((sum, row) => sum + row.plannedS, 0);
    expect(planned).toBe(7 * hour - 1_800);
  });
});

function secondsByState(
  changes: readonly { ts: Date; state: State }[],
  window: { start: Date; end: Date },
): Record<State, number> {
  const seconds = { running: 0, idle: 0, setup: 0, breakdown: 0, planned_stop: 0 };
  for (const [i, { ts, state }] of changes.entries()) {
    const from = Math.max(ts.getTime(), window.start.getTime());
    const to = (changes[i + 1]?.ts ?? window.end).getTime();
    seconds[state] += (to - from) / 1_000;
  }
  return seconds;
}

describe("context history", () => {
  it("begins with what held at the start, and then has changes only", () => {
    fc.assert(
      fc.property(seeds, windows, (seed, window) => {
        const line = lineOf({ seed, ...window });
        for (const machine of line.machines.keys()) {
          const rows = [...line.context()].filter((row) => row.machine === machine);
          expect(rows.filter(({ ts }) => ts <= window.start).length).toBe(1);
          for (const [i, row] of rows.slice(1).entries()) {
            const before = rows[i];
            expect(row.ts.getTime()).toBeGreaterThan(before?.ts.getTime() ?? Number.NaN);
            const { ts: _, operatorRef: __, ...now } = row;
            const { ts: ___, operatorRef: ____, ...then } = before ?? row;
            expect(now).not.toEqual(then);
          }
        }
      }),
      property,
    );
  });

  it("rests from Saturday morning to Monday morning", () => {
    const weekend = lineOf({
      start: new Date("2026-11-15T12:00:00Z"),
      end: new Date("2026-11-15T13:00:00Z"),
    });
    const rows = [...weekend.context()];
    expect(rows.map(({ ts }) => ts)).toEqual(rows.map(() => new Date("2026-11-14T05:00:00Z")));
    expect(new Set(rows.map(({ state, reason }) => `${state}: ${reason}`))).toEqual(
      new Set(["planned_stop: no shift"]),
    );
    expect([...weekend.oee(), ...weekend.kpis(), ...weekend.orders]).toEqual([]);
    expect([...weekend.energy()].every(({ meanPowerKw }) => meanPowerKw > 0 && meanPowerKw < 1)).toBe(true);
  });

  it("stops the neighbours of a broken machine, by and by", () => {
    const rows = [...lineOf().context()];
    const broken = rows.filter((row) => row.machine === 2 && row.state === "breakdown");
    expect(broken.length).toBeGreaterThan(0);
    const waiting = rows.filter(({ reason }) => reason === "starved" || reason === "blocked");
    const following = broken.filter(({ ts }) =>
      waiting.some((row) => row.machine === 3 && row.reason === "starved" && at(row) - at({ ts }) === 45),
    );
    expect(following.length).toBeGreaterThan(0);
  });
});

describe("energy", () => {
  it("reads the same meters whichever days were asked for before", () => {
    const day = (date: string) => {
      const start = new Date(`${date}T00:00:00Z`);
      return generateLine({
        seed: 77,
        start,
        end: new Date(start.getTime() + 86_400_000),
        intervalSeconds: 600,
      });
    };
    const first = (date: string) => [...day(date).energy()][0]?.meterKwh;
    const later = first("2026-03-05");
    const earlier = first("2026-02-20");
    // Before the meters began, so it is what the day itself has used so far.
    expect(first("2025-12-20")).toBeLessThan(300);
    expect(first("2026-02-20")).toBe(earlier);
    expect(first("2026-03-05")).toBe(later);
    expect(later).toBeGreaterThan(earlier ?? Number.NaN);
  });

  it("is what the meter moves by, and no more than the peak allows", () => {
    // Windows over a meter's begin, a weekend, and a change of the clocks.
    for (const [seed, start] of [
      [1, "2025-12-31T12:00:00Z"],
      [2, "2026-01-02T16:00:00Z"],
      [3, "2026-03-28T20:00:00Z"],
    ] as const) {
      const window = { start: new Date(start), end: new Date(Date.parse(start) + 72 * 3_600_000) };
      const line = lineOf({ seed, ...window });
      const rows = [...line.energy()];
      expect(rows.length).toBe(72 * 4 * line.machines.length);
      for (const machine of line.machines.keys()) {
        const mine = rows.filter((row) => row.machine === machine);
        for (const [i, row] of mine.entries()) {
          expect(row.energyKwh).toBeGreaterThan(0);
          expect(row.peakPowerKw).toBeGreaterThanOrEqual(row.meanPowerKw);
          const before = mine[i - 1];
          if (before !== undefined) expect(row.meterKwh - before.meterKwh).toBeCloseTo(row.energyKwh, 6);
        }
      }
      if (start.startsWith("2025")) continue;
      const later = lineOf({ seed, start: new Date(window.start.getTime() + 86_400_000), end: window.end });
      expect([...later.energy()]).toEqual(
        rows.filter(({ ts }) => ts.getTime() >= window.start.getTime() + 86_400_000),
      );
    }
  });

  it("is what the power sensor shows over time", () => {
    const line = lineOf({ end: new Date("2026-11-10T00:00:00Z"), intervalSeconds: 10 });
    const power = samplesOf(line).filter(({ metric }) => metric === "motor_power");
    for (const machine of line.machines.keys()) {
      const sensed = power
        .filter((row) => row.machine === machine)
        .reduce((sum, { value = 0 }) => sum + value / 360, 0);
      const metered = [...line.energy()]
        .filter((row) => row.machine === machine)
        .reduce((sum, row) => sum + row.energyKwh, 0);
      expect(sensed / metered).toBeGreaterThan(0.99);
      expect(sensed / metered).toBeLessThan(1.01);
    }
  });
});

describe("samples", () => {
  it("have two decimals at most, and a unit each machine's metrics make sense with", () => {
    const line = lineOf({ start: new Date("2026-11-10T08:00:00Z"), end: new Date("2026-11-10T12:00:00Z") });
    const perMachine = line.machines.map(
      (_, machine) =>
        new Set(samplesOf(line).flatMap((row) => (row.machine === machine ? [row.metric] : []))).size,
    );
    expect(perMachine).toEqual([12, 11, 12, 12, 12]);
    for (const { value = Number.NaN } of samplesOf(line)) {
      expect(Math.abs(value - Number(value.toFixed(2)))).toBeLessThan(1e-3);
    }
  });

  it("follow the state: a machine that stands makes no pieces, draws less and shakes less", () => {
    const line = lineOf({ end: new Date("2026-11-12T00:00:00Z") });
    const instants = new Map<string, Map<string, number>>();
    for (const { ts, machine, metric = "", value = 0 } of samplesOf(line)) {
      const key = `${machine} ${ts}`;
      instants.set(key, (instants.get(key) ?? new Map()).set(metric, value));
    }
    const mean = (metric: string, state: State) => {
      const found = [...instants.values()].filter(
        (values) => values.get("machine_state") === states.indexOf(state),
      );
      return found.reduce((sum, values) => sum + (values.get(metric) ?? 0), 0) / found.length;
    };
    expect(mean("machine_speed", "breakdown")).toBe(0);
    expect(mean("machine_speed", "running")).toBeGreaterThan(100);
    expect(mean("motor_power", "running")).toBeGreaterThan(2 * mean("motor_power", "breakdown"));
    expect(mean("motor_power", "breakdown")).toBeGreaterThan(mean("motor_power", "planned_stop"));
    expect(mean("vibration_rms", "running")).toBeGreaterThan(5 * mean("vibration_rms", "idle"));
    expect(mean("motor_temperature", "running")).toBeGreaterThan(
      mean("motor_temperature", "planned_stop") + 10,
    );
  });

  it("announce a mechanical breakdown by shaking more and more", () => {
    const inHalfAnHour = (machine: number, until: Date, hoursBefore: number) => {
      const end = new Date(until.getTime() - hoursBefore * 3_600_000);
      const line = lineOf({ start: new Date(end.getTime() - 1_800_000), end, intervalSeconds: 10 });
      const running = samplesOf(line).filter(
        (row) => row.machine === machine && row.metric === "vibration_rms" && (row.value ?? 0) > 1,
      );
      const mean = running.reduce((sum, { value = 0 }) => sum + value, 0) / running.length;
      return running.length < 20 ? undefined : mean;
    };
    const rises = [...lineOf().context()]
      .filter(
        ({ state, reason }) => state === "breakdown" && /bearing|gear|drive|pump|cutting/.test(reason ?? ""),
      )
      .map(({ machine, ts }) => [7, 1, 0].map((hoursBefore) => inHalfAnHour(machine, ts, hoursBefore)))
      .flatMap(([early, late, last]) =>
        early === undefined || late === undefined || last === undefined ? [] : [{ early, late, last }],
      );
    // Of some breakdowns the hours before are a break or a weekend.
    expect(rises.length).toBeGreaterThan(3);
    for (const { early, late, last } of rises) {
      expect(last).toBeGreaterThan(1.5 * early);
      expect(last).toBeGreaterThan(late);
    }
  });
});
