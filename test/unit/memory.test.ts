import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type PodSize,
  postgresParameters,
  sharedMemory,
  sizeProblems,
  worstCase,
} from "../../infra/database/memory";
import { settingBytes, settingProblems } from "../../infra/database/postgresSettings";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

/** Pods as they are used, by GiB of memory. */
const pods: Record<number, PodSize> = {
  1: pod({ memory: 1, cpus: 1, maxConnections: 100, data: 10, wal: 4 }),
  4: pod({ memory: 4, cpus: 2, maxConnections: 120, data: 50, wal: 16 }),
  16: pod({ memory: 16, cpus: 4, maxConnections: 200, data: 200, wal: 32 }),
  64: pod({ memory: 64, cpus: 16, maxConnections: 300, data: 1_000, wal: 64 }),
  128: pod({ memory: 128, cpus: 32, maxConnections: 500, data: 4_000, wal: 128 }),
};

/** The cluster of the e2e tests: half a GiB, half a CPU. */
const smallest = pod({ memory: 0.5, cpus: 0.5, maxConnections: 50, data: 1, wal: 1 });

interface Sizes {
  memory: number;
  cpus: number;
  maxConnections: number;
  data: number;
  wal: number;
}

/** Memory and volumes in GiB. */
function pod({ memory, cpus, maxConnections, data, wal }: Sizes): PodSize {
  return {
    memoryBytes: memory * gibibyte,
    cpus,
    maxConnections,
    dataVolumeBytes: data * gibibyte,
    walVolumeBytes: wal * gibibyte,
  };
}

const anyPod: fc.Arbitrary<PodSize> = fc.record({
  memoryBytes: fc.integer({ min: 64, max: 1024 * 1024 }).map((size) => size * mebibyte),
  cpus: fc.integer({ min: 100, max: 128_000 }).map((milli) => milli / 1000),
  maxConnections: fc.integer({ min: 10, max: 1000 }),
  dataVolumeBytes: fc.integer({ min: 64, max: 64 * 1024 * 1024 }).map((size) => size * mebibyte),
  walVolumeBytes: fc.integer({ min: 64, max: 1024 * 1024 }).map((size) => size * mebibyte),
});

/** For each half GiB of memory up to 30 connections and two CPUs, and 20 connections more; no more than 500. */
const soundPod = anyPod.map((size): PodSize => {
  const memoryBytes = Math.max(size.memoryBytes, 512 * mebibyte);
  const halves = Math.floor(memoryBytes / (512 * mebibyte));
  return {
    memoryBytes,
    cpus: Math.min(size.cpus, 2 * halves),
    maxConnections: Math.min(size.maxConnections, 20 + 30 * halves, 500),
    dataVolumeBytes: Math.max(size.dataVolumeBytes, 512 * mebibyte),
    walVolumeBytes: Math.max(size.walVolumeBytes, 512 * mebibyte),
  };
});

const sizeSettings = [
  "shared_buffers",
  "effective_cache_size",
  "work_mem",
  "maintenance_work_mem",
  "autovacuum_work_mem",
  "wal_buffers",
  "max_locks_per_transaction",
];

const asNumber = (name: string, value: string | number | undefined) =>
  typeof value === "number" ? value : settingBytes(name, value ?? 0) || Number(value);

describe("settings from a pod's size", () => {
  it.each(Object.entries(pods))("%s GiB", (_, size) => {
    expect(sizeProblems(size)).toEqual([]);
    expect(postgresParameters(size)).toMatchSnapshot();
  });

  it("half a GiB with half a CPU", () => {
    expect(sizeProblems(smallest)).toEqual([]);
    expect(postgresParameters(smallest)).toMatchSnapshot();
  });

  it("are what PostgreSQL takes, for any pod", () => {
    fc.assert(
      fc.property(anyPod, (size) => {
        // Decided by the config's own key, which the calculator only passes on.
        const { max_connections, ...parameters } = postgresParameters(size);
        expect(max_connections).toBe(size.maxConnections);
        const texts = Object.entries(parameters).map(([name, value]) => [name, String(value)]);
        expect(settingProblems(Object.fromEntries(texts))).toEqual([]);
      }),
    );
  });

  it("fit into every pod that has half a GiB for its first 50 connections, and for each 30 more up to 500", () => {
    fc.assert(
      fc.property(soundPod, (size) => {
        expect(sizeProblems(size)).toEqual([]);
        expect(worstCase(postgresParameters(size))).toBeLessThanOrEqual(size.memoryBytes);
      }),
    );
  });

  it("grow with memory, or stay", () => {
    // Others go up in whole MB, autovacuum's once for each of its workers, and at some sizes the locks double: what is left
    // for sorting gives that much.
    const least = (name: string, before: number) => (name === "work_mem" ? 0.95 * before : before);
    const found = { memoryBytes: 5_025_824_768, cpus: 9.5, maxConnections: 282 };
    const volumes = { dataVolumeBytes: 512 * mebibyte, walVolumeBytes: 512 * mebibyte };
    fc.assert(
      fc.property(soundPod, fc.integer({ min: 1, max: 64 * 1024 }), (size, more) => {
        const larger = { ...size, memoryBytes: size.memoryBytes + more * mebibyte };
        const [before, after] = [postgresParameters(size), postgresParameters(larger)];
        for (const name of sizeSettings) {
          expect(asNumber(name, after[name])).toBeGreaterThanOrEqual(
            least(name, asNumber(name, before[name])),
          );
        }
      }),
      { examples: [[{ ...found, ...volumes }, 7]] },
    );
  });

  it("give one connection no more for sorting when there are more of them", () => {
    fc.assert(
      fc.property(soundPod, fc.integer({ min: 1, max: 500 }), (size, more) => {
        const busier = { ...size, maxConnections: size.maxConnections + more };
        expect(asNumber("work_mem", postgresParameters(busier).work_mem)).toBeLessThanOrEqual(
          asNumber("work_mem", postgresParameters(size).work_mem),
        );
      }),
    );
  });

  it("have a worker process for every background and parallel worker", () => {
    fc.assert(
      fc.property(anyPod, (size) => {
        const parameters = postgresParameters(size);
        const [all, jobs, parallel, oneQuery] = [
          "max_worker_processes",
          "timescaledb.max_background_workers",
          "max_parallel_workers",
          "max_parallel_workers_per_gather",
        ].map((name) => Number(parameters[name]));
        expect(all).toBeGreaterThan((jobs ?? 0) + (parallel ?? 0));
        expect(oneQuery).toBeLessThanOrEqual(parallel ?? 0);
      }),
    );
  });

  it("keep the log within its volume, for any of 512 MiB and more", () => {
    fc.assert(
      fc.property(soundPod, (size) => {
        const parameters = postgresParameters(size);
        const [most, least, slots, kept] = [
          "max_wal_size",
          "min_wal_size",
          "max_slot_wal_keep_size",
          "wal_keep_size",
        ].map((name) => asNumber(name, parameters[name])) as [number, number, number, number];
        expect(most + Math.max(slots, kept)).toBeLessThanOrEqual(size.walVolumeBytes * 0.9);
        expect(least).toBeLessThanOrEqual(most);
        // Whole segments of the log.
        for (const wal of [most, least, slots, kept]) expect(wal % (16 * mebibyte)).toBe(0);
      }),
    );
  });
});

describe("what is counted", () => {
  // Said by `postgres -C shared_memory_size` of PostgreSQL 17.11 with TimescaleDB 2.19.3, for the settings of such pods.
  it.each([
    [pod({ memory: 0.5, cpus: 0.5, maxConnections: 56, data: 100, wal: 32 }), 144],
    [pod({ memory: 1, cpus: 1, maxConnections: 100, data: 100, wal: 32 }), 283],
    [pod({ memory: 4, cpus: 2, maxConnections: 120, data: 100, wal: 32 }), 1085],
    [pod({ memory: 16, cpus: 4, maxConnections: 200, data: 100, wal: 32 }), 4291],
    [pod({ memory: 64, cpus: 16, maxConnections: 300, data: 100, wal: 32 }), 16_958],
    [pod({ memory: 128, cpus: 32, maxConnections: 500, data: 100, wal: 32 }), 33_813],
  ])("as shared memory is within 2 % of what PostgreSQL asks for (%#)", (size, real) => {
    const counted = sharedMemory(postgresParameters(size)) / mebibyte;
    expect(Math.abs(counted / real - 1)).toBeLessThan(0.02);
  });

  it("grows with each setting that takes memory", () => {
    const parameters = postgresParameters(pods[4] as PodSize);
    const before = worstCase(parameters);
    for (const [name, value] of [
      ["shared_buffers", "1100MB"],
      ["work_mem", "5MB"],
      ["maintenance_work_mem", "300MB"],
      ["autovacuum_work_mem", "65MB"],
      // Each worker takes what maintenance has.
      ["autovacuum_work_mem", "-1"],
      ["wal_buffers", "32MB"],
      ["max_connections", "130"],
      ["max_worker_processes", "20"],
      ["autovacuum_max_workers", "4"],
      ["max_locks_per_transaction", "256"],
    ] as const) {
      expect(worstCase({ ...parameters, [name]: value }), name).toBeGreaterThan(before);
    }
  });
});

describe("what cannot fit", () => {
  const size = pods[4] as PodSize;
  const calculated = postgresParameters(size);
  const found = (change: Partial<PodSize>, parameters?: Record<string, string>) =>
    sizeProblems({ ...size, ...change }, parameters && { ...calculated, ...parameters });

  it("is memory beyond the pod's, with the numbers", () => {
    expect(found({}, { work_mem: "64MB" })).toEqual([
      {
        problem:
          "with 120 connections that each sort with 64MB, and 1024MB of shared buffers, PostgreSQL can come to take 9806 MiB, and is killed at 4096 MiB",
        fix: "give it 9806 MiB, or lower max_connections, work_mem or shared_buffers",
      },
    ]);
  });

  it("is so in PostgreSQL's own units, too", () => {
    expect(found({}, { work_mem: "65536" })).toHaveLength(1);
    // 8 kB each: 4 GiB.
    expect(found({}, { shared_buffers: "524288" })).toHaveLength(1);
    expect(found({}, { shared_buffers: "65536" })).toEqual([]);
  });

  it("is too many connections for the memory", () => {
    const many = { ...smallest, maxConnections: 200 };
    expect(sizeProblems(many)[0]?.problem).toMatch(/200 connections .* is killed at 512 MiB/);
  });

  it("is a pod, or a volume, that is too small for anything", () => {
    expect(found({ memoryBytes: 256 * mebibyte }).map(({ problem }) => problem)).toEqual([
      "256 MiB of memory are too few for PostgreSQL and Patroni",
    ]);
    expect(
      found({ walVolumeBytes: 100 * mebibyte, dataVolumeBytes: 100 * mebibyte }).map(
        ({ problem }) => problem,
      ),
    ).toEqual([
      "a volume of 100 MiB is too small for data",
      "a volume of 100 MiB is too small for the write-ahead log",
    ]);
  });

  it("is a log beyond its volume", () => {
    expect(found({}, { max_wal_size: "14GB" })).toEqual([
      {
        problem:
          "up to the next checkpoint (max_wal_size) and for replicas (max_slot_wal_keep_size, wal_keep_size) the log can come to 22528 MiB, and nine tenths of its volume are 14746 MiB",
        fix: "give it a volume of 25032 MiB, or lower them",
      },
    ]);
    expect(found({}, { wal_keep_size: "9000" })).toHaveLength(1);
    expect(found({}, { max_slot_wal_keep_size: "-1" })[0]?.problem).toContain("is unlimited");
  });
});
