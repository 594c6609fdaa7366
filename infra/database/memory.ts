// PostgreSQL's and TimescaleDB's settings from a pod's size. Rules marked "tune" are those of timescaledb-tune 0.18
// (github.com/timescale/timescaledb-tune, pkg/pgtune); others are from PostgreSQL 17's documentation, chapters 18.4 and 19, or
// were measured on PostgreSQL 17.11. Where a pod is no machine, the reason stands beside the rule.
import { settingBytes } from "./postgresSettings";

export interface PodSize {
  readonly memoryBytes: number;
  /** A fraction of one, too. */
  readonly cpus: number;
  readonly maxConnections: number;
  readonly dataVolumeBytes: number;
  readonly walVolumeBytes: number;
}

export interface SizeProblem {
  readonly problem: string;
  readonly fix: string;
}

type Parameters = Readonly<Record<string, string | number>>;

const kibibyte = 2 ** 10;
const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

/** PostgreSQL and Patroni start in less, and do no work worth having. */
const leastMemory = 512 * mebibyte;
/** Eight segments of log on a volume a tenth of which stays free: below that checkpoints never end. */
const leastVolume = 512 * mebibyte;

/** Patroni and the agent take 85 MiB, the postmaster and its nine helpers 30 (measured). */
const otherProcesses = 120 * mebibyte;
/** One session: 1.3 MiB after login, 1.8 after a query on a chunk (measured). */
const sessionPrivate = 1.5 * mebibyte;
/** A page table entry of 8 bytes for each page of 4 kB that a session has seen of the shared buffers, in the end all. */
const pageTableShare = 1 / 512;
/** Beside the buffers: 200 bytes for each of 8 kB, and fixed structures. Fitted to what `postgres -C shared_memory_size` says. */
const bufferOverhead = 200 / 8192;
const sharedFixed = 6 * mebibyte;
/** One slot of the lock table, with the links to who holds it (measured). */
const lockBytes = 410;
/** Processes with a place of their own in shared memory: walsenders and helpers. */
const otherBackends = 15;
/** Below this, sorting goes to the disk for a few thousand rows. */
const leastWorkMem = mebibyte;
/** PostgreSQL's default, which is for machines of any size. */
const usualWorkMem = 4 * mebibyte;

/** Every setting that depends on the size, as PostgreSQL reads it. The same for each member: a replica needs as much. */
export function postgresParameters(size: PodSize): Record<string, string | number> {
  const { memoryBytes, maxConnections, dataVolumeBytes, walVolumeBytes } = size;
  const cpus = Math.max(1, Math.round(size.cpus));
  // tune: 16 in any case. One is taken by the scheduler; the jobs of small pods take turns.
  const timescaleWorkers = clamp(4 + 2 * cpus, 6, 16);
  // tune: 40 % less of the log's volume, which here holds what replicas and the archive have not got yet, too; 16 GB are
  // recovered after a crash in a few minutes.
  const maxWal = segments(clamp(walVolumeBytes * 0.4, 128 * mebibyte, 16 * gibibyte));
  const withoutWorkMem = {
    max_connections: maxConnections,
    // tune, and 19.4.1: a quarter. The rest is the page cache's, which a pod's memory holds too.
    shared_buffers: inMB(memoryBytes / 4),
    // tune, and 19.7.2: what buffers and page cache hold together.
    effective_cache_size: inMB((memoryBytes * 3) / 4),
    // Half of tune's eighth, and no more than its 2 GB: a machine would swap for a moment, a pod is killed.
    maintenance_work_mem: inMB(Math.min(memoryBytes / 16, 2047 * mebibyte)),
    // By default each worker takes maintenance_work_mem. Dead rows take a few bytes each since PostgreSQL 17.
    autovacuum_work_mem: inMB(Math.min(memoryBytes / 64, gibibyte)),
    // tune: 10, for a table in chunks is many tables. Each needs a CPU for its time.
    autovacuum_max_workers: clamp(cpus, 3, 10),
    // tune: three of PostgreSQL's own (TimescaleDB's launcher is one), TimescaleDB's, and one a CPU for queries.
    max_worker_processes: 3 + timescaleWorkers + cpus,
    "timescaledb.max_background_workers": timescaleWorkers,
    // tune: one a CPU, half of them for one query; 19.4.2 has the same for maintenance. One CPU does nothing in parallel.
    max_parallel_workers: cpus,
    max_parallel_workers_per_gather: cpus === 1 ? 0 : Math.round(cpus / 2),
    max_parallel_maintenance_workers: cpus === 1 ? 0 : Math.round(cpus / 2),
    // tune: a query over a year of daily chunks locks each of them and its indexes.
    max_locks_per_transaction: locks(memoryBytes),
    max_wal_size: inMB(maxWal),
    // tune: half. Segments that are kept are not made anew.
    min_wal_size: inMB(segments(maxWal / 2)),
    // For a replica that was away for a moment, and pg_rewind, when no slot has kept it.
    wal_keep_size: inMB(segments(walVolumeBytes * 0.1)),
    // By default a slot keeps everything: a replica that never comes back would fill the volume.
    max_slot_wal_keep_size: inMB(segments(walVolumeBytes * 0.5)),
    // tune: 16 MB from 2 GiB of memory on, which is one segment; 19.5.1 knows no use for more.
    wal_buffers: inKB(Math.min((memoryBytes / gibibyte) * 7864 * kibibyte, 16 * mebibyte)),
    // tune, and 19.5.2: writing is spread over the time until the next checkpoint.
    checkpoint_completion_target: "0.9",
    // tune: network disks and SSDs read any page as fast as the next one, and many at a time.
    random_page_cost: "1.1",
    effective_io_concurrency: 256,
    // A query that spills more than a tenth of the volume ends, before every write does. PostgreSQL takes less than 2 TiB.
    temp_file_limit: inMB(Math.min(dataVolumeBytes * 0.1, 1024 * gibibyte)),
    // "try" (the default) is killed with SIGBUS in a pod without a limit for them, on a node that has some.
    huge_pages: "off",
  };
  const left = memoryBytes - worstCase(withoutWorkMem);
  // tune: 128 MB a GiB, over all connections and half the CPUs, since each worker of a query takes as much; but not less
  // than usual where there is more.
  const byMemory = (memoryBytes * 0.125) / maxConnections / Math.max(1, Math.round(cpus / 2));
  const wanted = Math.max(byMemory, usualWorkMem);
  const work_mem = inKB(Math.max(leastWorkMem, Math.min(wanted, left / maxConnections)));
  return { ...withoutWorkMem, work_mem };
}

/**
 * Why these settings don't fit into such a pod; empty when they do.
 *
 * @param parameters calculated ones, with the config's over them
 */
export function sizeProblems(
  size: PodSize,
  parameters: Parameters = postgresParameters(size),
): SizeProblem[] {
  return [...memoryProblems(size, parameters), ...volumeProblems(size, parameters)];
}

function memoryProblems({ memoryBytes }: PodSize, parameters: Parameters): SizeProblem[] {
  if (memoryBytes < leastMemory) {
    return [
      {
        problem: `${mib(memoryBytes)} of memory are too few for PostgreSQL and Patroni`,
        fix: `give it ${mib(leastMemory)} or more`,
      },
    ];
  }
  const most = worstCase(parameters);
  if (most <= memoryBytes) return [];
  return [
    {
      problem:
        `with ${parameters.max_connections} connections that each sort with ${parameters.work_mem}, and ${parameters.shared_buffers} of ` +
        `shared buffers, PostgreSQL can come to take ${mib(most)}, and is killed at ${mib(memoryBytes)}`,
      fix: `give it ${mib(most)}, or lower max_connections, work_mem or shared_buffers`,
    },
  ];
}

/**
 * Bytes that the pod holds at the worst that is counted with: every connection is used, each sorts or hashes once, every
 * worker runs, every autovacuum worker and one maintenance command have filled their memory. What a query does beyond
 * that (several sorts, or hashes of twice work_mem) others have to leave over; the page cache gives way.
 */
export function worstCase(parameters: Parameters): number {
  const connections = number(parameters, "max_connections");
  const workers = number(parameters, "max_worker_processes") + number(parameters, "autovacuum_max_workers");
  const buffers = bytes(parameters, "shared_buffers");
  const processes = (connections + workers) * (sessionPrivate + buffers * pageTableShare);
  const vacuum = number(parameters, "autovacuum_max_workers") * vacuumMemory(parameters);
  return Math.ceil(
    otherProcesses +
      sharedMemory(parameters) +
      processes +
      connections * bytes(parameters, "work_mem") +
      vacuum +
      bytes(parameters, "maintenance_work_mem"),
  );
}

/** What PostgreSQL asks for at its start, for all processes together. */
export function sharedMemory(parameters: Parameters): number {
  const backends =
    number(parameters, "max_connections") +
    number(parameters, "max_worker_processes") +
    number(parameters, "autovacuum_max_workers") +
    otherBackends;
  return Math.ceil(
    sharedFixed +
      bytes(parameters, "shared_buffers") * (1 + bufferOverhead) +
      bytes(parameters, "wal_buffers") +
      backends * (number(parameters, "max_locks_per_transaction") * lockBytes + 20 * kibibyte),
  );
}

function volumeProblems({ walVolumeBytes, dataVolumeBytes }: PodSize, parameters: Parameters): SizeProblem[] {
  const problems: SizeProblem[] = [];
  if (dataVolumeBytes < leastVolume) {
    problems.push({
      problem: `a volume of ${mib(dataVolumeBytes)} is too small for data`,
      fix: `give it ${mib(leastVolume)} or more`,
    });
  }
  if (walVolumeBytes < leastVolume) {
    problems.push({
      problem: `a volume of ${mib(walVolumeBytes)} is too small for the write-ahead log`,
      fix: `give it ${mib(leastVolume)} or more`,
    });
    return problems;
  }
  const slots = bytes(parameters, "max_slot_wal_keep_size");
  if (slots < 0) {
    problems.push({
      problem:
        "max_slot_wal_keep_size is unlimited: a replica that never comes back fills the volume of the log",
      fix: "set a size below that of the volume",
    });
  }
  const kept = bytes(parameters, "max_wal_size") + Math.max(slots, bytes(parameters, "wal_keep_size"));
  if (kept > walVolumeBytes * 0.9) {
    problems.push({
      problem:
        `up to the next checkpoint (max_wal_size) and for replicas (max_slot_wal_keep_size, wal_keep_size) the log can come to ` +
        `${mib(kept)}, and nine tenths of its volume are ${mib(walVolumeBytes * 0.9)}`,
      fix: `give it a volume of ${mib(kept / 0.9)}, or lower them`,
    });
  }
  return problems;
}

/** tune: 128, doubled at 8, 16 and 32 GiB. */
function locks(memoryBytes: number): number {
  const doubled = [8, 16, 32].filter((limit) => memoryBytes >= limit * gibibyte).length;
  return 128 * 2 ** doubled;
}

function vacuumMemory(parameters: Parameters): number {
  const own = bytes(parameters, "autovacuum_work_mem");
  return own < 0 ? bytes(parameters, "maintenance_work_mem") : own;
}

function bytes(parameters: Parameters, name: string): number {
  return settingBytes(name, parameters[name] ?? 0);
}

function number(parameters: Parameters, name: string): number {
  return Number(parameters[name] ?? 0);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** Whole segments of the log, 16 MB each; at least the two that PostgreSQL wants. */
function segments(size: number): number {
  return Math.max(2, Math.floor(size / (16 * mebibyte))) * 16 * mebibyte;
}

/** PostgreSQL's MB are mebibytes. */
function inMB(size: number): string {
  return `${Math.floor(size / mebibyte)}MB`;
}

function inKB(size: number): string {
  return `${Math.floor(size / kibibyte)}kB`;
}

function mib(size: number): string {
  return `${Math.ceil(size / mebibyte)} MiB`;
}
