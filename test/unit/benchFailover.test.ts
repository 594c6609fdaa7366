// The benchmark's judgement: what was planned, what was lost, whether there were two primaries, and what goals say.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conflictsOf, keyOf, lostOf } from "../../ops/bench/failover/conflicts";
import { evaluate, longestGap, type Times } from "../../ops/bench/failover/evaluate";
import { type Acknowledged, Journal, parseNote } from "../../ops/bench/failover/journal";
import { type Kind, kindNames } from "../../ops/bench/failover/kinds";
import {
  compareWithGoals,
  type FailoverReport,
  type FaultRecord,
  percentile,
  summariseKinds,
  toMarkdown,
  toTables,
} from "../../ops/bench/failover/report";
import { schedule } from "../../ops/bench/failover/schedule";
import { told, toldWrite } from "../../ops/bench/failover/tell";

describe("schedule", () => {
  it("is the same for the same seed, and another one for another", () => {
    const of = (seed: number) => schedule(seed, 50, kindNames, 60_000);
    expect(of(7)).toEqual(of(7));
    expect(of(7)).not.toEqual(of(8));
  });

  it("has as many faults as asked for, and every kind as often as any other but for one", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 200 }),
        fc.subarray(kindNames, { minLength: 1 }),
        (seed, count, kinds) => {
          const planned = schedule(seed, count, kinds, 60_000);
          expect(planned.map(({ number }) => number)).toEqual(planned.map((_, index) => index + 1));
          const counts = kinds.map((kind) => planned.filter((fault) => fault.kind === kind).length);
          expect(counts.reduce((a, b) => a + b)).toBe(count);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("begins a longer run as it begins a shorter one", () => {
    expect(schedule(3, 40, kindNames, 60_000).slice(0, 15)).toEqual(schedule(3, 15, kindNames, 60_000));
  });

  it("keeps the API server away for as long as it is told", () => {
    const planned = schedule(1, 30, ["apiserver-down"], 25_000);
    expect(new Set(planned.map(({ holdMs }) => holdMs))).toEqual(new Set([25_000]));
  });
});

describe("parseNote", () => {
  it("reads what was acknowledged, by whom and on which timeline", () => {
    expect(parseNote("node-1.2", "ack 17 1000000000 1002500000 10.208.1.4 0000000B")).toEqual({
      source: "node-1.2",
      number: 17,
      sent: 1000,
      acknowledged: 1002.5,
      server: "10.208.1.4",
      timeline: 11,
    });
  });

  it("reads what failed, and why", () => {
    expect(parseNote("node-1.2", "err 18 1000000000 3000000000 no answer within 2 s")).toEqual({
      source: "node-1.2",
      sent: 1000,
      failed: 3000,
      reason: "no answer within 2 s",
    });
  });

  it.each([
    "",
    "ack 17 1000000000 1002500000 10.208.1.4",
    "ack 17 1000000000 1002500000 10.208.1.4 0000000Z",
    "Killed",
  ])("does not pass over a line it cannot read: %s", (line) => {
    expect(() => parseNote("node-1.2", line)).toThrow("a note of node-1.2 cannot be read");
  });
});

describe("Journal", () => {
  it("gives what is new once, and knows the newest timeline of all and of each", () => {
    const journal = new Journal();
    expect(journal.timeline).toBe(0);
    journal.add("a", "ack 1 1 2 x 00000003");
    journal.add("b", "ack 1 1 2 x 00000002");
    journal.add("b", "err 2 1 2 refused");
    expect([journal.timeline, journal.timelineOf("b"), journal.timelineOf("c")]).toEqual([3, 2, 0]);
    expect(journal.next()).toMatchObject({ acknowledged: [{ source: "a" }, { source: "b" }], failed: [{}] });
    journal.add("a", "ack 2 1 2 x 00000003");
    expect(journal.next()).toMatchObject({ acknowledged: [{ number: 2 }], failed: [] });
  });
});

let numbers = 0;
/** @param acknowledged milliseconds */
function write(acknowledged: number, more: Partial<Acknowledged> = {}): Acknowledged {
  numbers += 1;
  const usual = { source: "a", number: numbers, sent: acknowledged - 5, server: "blue-0", timeline: 1 };
  return { ...usual, acknowledged, ...more };
}

describe("longestGap", () => {
  it("counts from the beginning, and to the end", () => {
    const writes = [write(120), write(150), write(140)];
    expect(longestGap(writes, 100, 155)).toBe(20);
    expect(longestGap(writes, 60, 155)).toBe(60);
    expect(longestGap(writes, 100, 250)).toBe(100);
  });

  it("leaves out what was before and after, and has no answer without anything between", () => {
    expect(longestGap([write(50), write(110), write(300)], 100, 200)).toBe(90);
    expect(longestGap([write(50), write(300)], 100, 200)).toBeUndefined();
  });
});

describe("evaluate", () => {
  const times: Times = { begun: 1000, inflicted: 1010, healing: 6000, whole: 9000 };
  const before = [write(980), write(999)];
  const seen = (acknowledged: readonly Acknowledged[], failures: readonly number[] = []) => ({
    acknowledged,
    failed: failures.map((failed) => ({ source: "a", sent: failed - 10, failed, reason: "refused" })),
    timeline: 1,
  });
  const at2 = (acknowledged: number) => write(acknowledged, { server: "blue-1", timeline: 2 });

  it("measures a failover to the new primary's first write, not to the old one's last", () => {
    const writes = [...before, write(1020), at2(3500), at2(3400), at2(8990)];
    expect(evaluate("freeze-node", times, seen(writes))).toMatchObject({ ms: 2400, problems: [] });
  });

  it("measures the longest gap where the same primary goes on", () => {
    const writes = [...before, write(1200), write(2500), ...regularly(2500, 9000)];
    expect(evaluate("kill-postgres", times, seen(writes)).ms).toBe(1300);
  });

  it("has no time when nobody could write again", () => {
    expect(evaluate("cut-node", times, seen(before)).ms).toBeUndefined();
    expect(evaluate("lose-two", times, seen([...before, write(5999)])).ms).toBeUndefined();
  });

  it("counts from the return when two were lost", () => {
    expect(evaluate("lose-two", times, seen([...before, write(6250), write(6100)])).ms).toBe(100);
  });

  it("says so when one member alone acknowledged what was sent to it", () => {
    const alone = [write(1015, { sent: 1005 }), write(4000), write(4100), write(6100)];
    expect(evaluate("lose-two", times, seen(alone)).problems).toEqual([
      "one member alone acknowledged 2 writes",
    ]);
    expect(evaluate("lose-replica", times, seen(alone)).problems).toEqual([]);
  });

  it.each(["kill-patroni", "cut-apiserver", "apiserver-down", "lose-replica", "slow-disk"] as const)(
    "does not let another primary pass for %s",
    (kind) => {
      expect(evaluate(kind, times, seen([...before, at2(3000)])).problems).toEqual(["the primary changed"]);
    },
  );

  it("counts errors from the fault on", () => {
    expect(evaluate("switchover", times, seen(before, [990, 1000, 4000])).clientErrors).toBe(2);
  });
});

function regularly(from: number, to: number): Acknowledged[] {
  return Array.from({ length: (to - from) / 100 }, (_, index) => write(from + index * 100));
}

describe("lostOf", () => {
  it("finds exactly what the table does not have", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500)), fc.uniqueArray(fc.nat(500)), (told, kept) => {
        const writes = told.map((number) => write(0, { number }));
        const present = new Set(kept.map((number) => keyOf({ source: "a", number })));
        const lost = lostOf(writes, present).map(({ number }) => number);
        expect(lost).toEqual(told.filter((number) => !kept.includes(number)));
      }),
    );
  });

  it("does not take another writer's number for the same", () => {
    expect(lostOf([write(0, { source: "b", number: 1 })], new Set(["a 1"]))).toHaveLength(1);
  });
});

describe("conflictsOf", () => {
  const none = new Set<string>();
  const at = (timeline: number, server: string, sent: number, acknowledged: number) =>
    write(acknowledged, { timeline, server, sent });

  it("finds nothing in a history of failovers", () => {
    const history = [
      at(1, "blue-0", 0, 10),
      at(1, "blue-0", 20, 30),
      at(2, "blue-1", 35, 100),
      at(2, "blue-1", 110, 120),
      at(3, "blue-0", 130, 200),
    ];
    expect(conflictsOf(history, none)).toEqual([]);
  });

  it("finds a write that the old primary took after the new one had acknowledged", () => {
    const second = at(1, "blue-0", 101, 105);
    expect(conflictsOf([at(1, "blue-0", 0, 10), at(2, "blue-1", 90, 100), second], none)).toEqual([second]);
  });

  it("also when there have been newer ones since", () => {
    const second = at(1, "blue-0", 101, 105);
    const history = [at(1, "blue-0", 0, 10), at(2, "blue-1", 90, 100), at(3, "blue-2", 290, 300), second];
    expect(conflictsOf(history, none)).toEqual([second]);
  });

  it("takes a late answer for one, when the write is lost, and only then", () => {
    const late = at(1, "blue-0", 50, 150);
    const history = [at(1, "blue-0", 0, 10), late, at(2, "blue-1", 90, 100)];
    expect(conflictsOf(history, none)).toEqual([]);
    expect(conflictsOf(history, new Set([keyOf(late)]))).toEqual([late]);
  });

  it("finds two members that write on the same timeline", () => {
    const other = at(2, "blue-2", 120, 130);
    expect(conflictsOf([at(2, "blue-1", 90, 100), other, at(2, "blue-1", 140, 150)], none)).toEqual([other]);
  });

  it("never accuses one primary at a time", () => {
    const reign = fc.record({
      server: fc.constantFrom("blue-0", "blue-1", "blue-2"),
      writes: fc.array(fc.nat(50)),
    });
    fc.assert(
      fc.property(fc.array(reign), (reigns) => {
        let now = 0;
        const history = reigns.flatMap(({ server, writes }, index) =>
          writes.map((takes) => {
            const sent = now;
            now += takes + 1;
            return at(index + 1, server, sent, now);
          }),
        );
        expect(conflictsOf(history, none)).toEqual([]);
      }),
    );
  });
});

describe("percentile", () => {
  it("is the least that so many do not exceed", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([50, 95, 100].map((percent) => percentile(hundred, percent))).toEqual([50, 95, 100]);
    expect(percentile([3, 1, 2], 50)).toBe(2);
    expect(percentile([3, 1, 2], 95)).toBe(3);
    expect(() => percentile([], 50)).toThrow("nothing was measured");
  });

  it("is one of the samples, and so many are not above it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 1 }),
        fc.integer({ min: 1, max: 100 }),
        (samples, percent) => {
          const found = percentile(samples, percent);
          expect(samples).toContain(found);
          const within = samples.filter((sample) => sample <= found).length;
          expect(within).toBeGreaterThanOrEqual((percent / 100) * samples.length);
        },
      ),
    );
  });
});

function fault(kind: Kind, seconds: number | undefined, more: Partial<FaultRecord> = {}): FaultRecord {
  return {
    number: 1,
    kind,
    from: "blue-0",
    to: "blue-1",
    seconds,
    databaseSeconds: seconds,
    wholeAfterSeconds: 5,
    clientErrors: 0,
    problems: [],
    lost: 0,
    twoPrimaries: 0,
    evidence: [],
    load: 1,
    ...more,
  };
}

describe("summariseKinds", () => {
  it("sums up each kind that was tried", () => {
    const summary = summariseKinds([
      fault("kill-postgres", 1.5, { lost: 1, clientErrors: 2 }),
      fault("freeze-node", 6),
      fault("kill-postgres", 1.2, { number: 3, clientErrors: 1, twoPrimaries: 4, problems: ["odd"] }),
    ]);
    expect(summary).toMatchObject([
      {
        kind: "kill-postgres",
        count: 2,
        p50: 1.2,
        p95: 1.5,
        max: 1.5,
        lost: 1,
        twoPrimaries: 4,
        clientErrors: 3,
      },
      { kind: "freeze-node", count: 1, p50: 6, p95: 6, max: 6, lost: 0 },
    ]);
    expect(summary[0]?.problems).toEqual(["odd (3)"]);
  });

  it("gives no time where one was never over", () => {
    const [summary] = summariseKinds([fault("cut-node", 3), fault("cut-node", undefined)]);
    expect(summary).toMatchObject({ count: 2 });
    expect(summary).not.toHaveProperty("max");
  });
});

describe("compareWithGoals", () => {
  const nothing = { lost: 0, twoPrimaries: 0 };
  const met = (faults: FaultRecord[], totals = nothing) =>
    Object.fromEntries(compareWithGoals(faults, totals).map(({ goal, met }) => [goal, met]));

  it("pools the kinds that have a goal in common", () => {
    const slow = Array.from({ length: 19 }, () => fault("kill-postgres", 1.9));
    const goal = "process or pod faults: p95 <= 2 s, max <= 4 s";
    expect(met([...slow, fault("delete-pod", 3.9)])[goal]).toBe(true);
    expect(met([...slow, fault("delete-pod", 4.1)])[goal]).toBe(false);
    expect(met([...slow.slice(1), fault("delete-pod", 3.9), fault("kill-patroni", 2.1)])[goal]).toBe(false);
    expect(met([...slow, fault("delete-pod", undefined)])[goal]).toBe(false);
  });

  it("has other limits for nodes, and for switchovers", () => {
    expect(met([fault("freeze-node", 7.9)])["node faults: p95 <= 8 s, max <= 12 s"]).toBe(true);
    expect(met([fault("freeze-node", 12.1)])["node faults: p95 <= 8 s, max <= 12 s"]).toBe(false);
    const switched = met([fault("switchover", 0.9, { clientErrors: 1 })]);
    expect(switched).toMatchObject({
      "switchover: stall: max <= 1 s": true,
      "switchover: client errors: 0": false,
    });
  });

  it("leaves out goals about what was not tried, but never those about lost writes", () => {
    expect(Object.keys(met([fault("slow-disk", 1)], { lost: 1, twoPrimaries: 2 }))).toEqual([
      "acknowledged writes that are missing: 0",
      "writes acknowledged by a second primary: 0",
      "faults that had another effect than they should: 0",
    ]);
    expect(compareWithGoals([], { lost: 1, twoPrimaries: 2 })).toMatchObject([
      { reached: "1", met: false },
      { reached: "2", met: false },
      { reached: "0", met: true },
    ]);
  });
});

describe("told", () => {
  it("is one line, with what went wrong in it", () => {
    expect(told(fault("freeze-node", 4.567, { clientErrors: 3 }))).toBe(
      "blue-0 -> blue-1, 4.57 s (in the database 4.57 s), 3 client errors",
    );
    const worst = { to: "blue-0", lost: 2, twoPrimaries: 1, problems: ["the primary changed"] };
    expect(told(fault("kill-patroni", undefined, worst))).toBe(
      "blue-0 stays, never (in the database never), 0 client errors, 2 LOST, 1 WRITES OF A SECOND PRIMARY, the primary changed",
    );
  });

  it("says of a write when it was sent and acknowledged, counted from the fault", () => {
    const one = write(3_500, { source: "probe-2", number: 7, sent: 900, server: "blue-2", timeline: 4 });
    expect(toldWrite(one, 1_000)).toBe(
      "probe-2 7, sent -0.100 s after the fault, acknowledged 2.500 s after it by blue-2 on timeline 4",
    );
  });
});

describe("the report", () => {
  const faults = [
    fault("kill-postgres", 1.41),
    fault("cut-apiserver", undefined, {
      number: 2,
      problems: ["the primary changed"],
      evidence: ["lost: a 1"],
    }),
  ];
  const report: FailoverReport = {
    name: "failover",
    machine: { cpus: "2 CPUs", memory: "8 GB", node: "24.0.0", os: "Linux 6" },
    date: "2026-03-02T10:00:00.000Z",
    command: "npm run bench -- failover",
    settings: { seed: 1 },
    kinds: summariseKinds(faults),
    goals: compareWithGoals(faults, { lost: 1, twoPrimaries: 0 }),
    notDone: { "clock-jump": "there is one clock" },
    acknowledged: 10,
    lost: 1,
    twoPrimaries: 0,
    stopped: "stopped by hand",
    faults,
  };

  it("is tables for a terminal", () => {
    expect(toTables(report)).toMatchInlineSnapshot(`
      "failover: 2 CPUs, 8 GB, Linux 6, node 24.0.0
      seed: 1.

      fault                                                                                     time      count     p50     p95     max     lost  two primaries  client errors
      kill-postgres: SIGKILL to the primary's postmaster                                        takeover  1         1.41 s  1.41 s  1.41 s  0     0              0
      cut-apiserver: the primary alone is cut from the API server, longer than a lock is valid  gap       1         never   never   never   0     0              0
      clock-jump                                                                                          not done

      goal                                                reached
      process or pod faults: p95 <= 2 s, max <= 4 s       p95 1.41 s, max 1.41 s  met
      acknowledged writes that are missing: 0             1                       missed
      writes acknowledged by a second primary: 0          0                       met
      faults that had another effect than they should: 0  1                       missed

      cut-apiserver: the primary changed (2).
      Fault 2, cut-apiserver: lost: a 1.
      Not done: clock-jump. Why: there is one clock.
      Ended early: stopped by hand."
    `);
  });

  it("is tables for docs/benchmarks.md", () => {
    expect(toMarkdown(report)).toMatchInlineSnapshot(`
      "\`npm run bench -- failover\`, 2026-03-02, 2 CPUs, 8 GB, Linux 6, node 24.0.0.
      seed: 1.

      | fault | time | count | p50 | p95 | max | lost | two primaries | client errors |
      | --- | --- | --- | --- | --- | --- | --- | --- | --- |
      | kill-postgres: SIGKILL to the primary's postmaster | takeover | 1 | 1.41 s | 1.41 s | 1.41 s | 0 | 0 | 0 |
      | cut-apiserver: the primary alone is cut from the API server, longer than a lock is valid | gap | 1 | never | never | never | 0 | 0 | 0 |
      | clock-jump |  | not done |  |  |  |  |  |  |

      | goal | reached |  |
      | --- | --- | --- |
      | process or pod faults: p95 <= 2 s, max <= 4 s | p95 1.41 s, max 1.41 s | met |
      | acknowledged writes that are missing: 0 | 1 | missed |
      | writes acknowledged by a second primary: 0 | 0 | met |
      | faults that had another effect than they should: 0 | 1 | missed |

      - cut-apiserver: the primary changed (2).
      - Fault 2, cut-apiserver: lost: a 1.
      - Not done: clock-jump. Why: there is one clock.
      - Ended early: stopped by hand."
    `);
  });
});
