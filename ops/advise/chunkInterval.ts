import { type Interval, parseInterval } from "../../infra/units";

/** What a hypertable takes, measured or expected. */
export interface Rate {
  readonly rowsPerDay: number;
  /** Of the row store, with indexes: the chunk that is written to is one. */
  readonly bytesPerRow: number;
  /** Rows with the same segmentBy columns share a batch of the columnstore; this is how many such groups there are. */
  readonly series: number;
}

export interface Limits {
  readonly memoryBytes: number;
  /** undefined: rows are kept for ever. */
  readonly retention: Interval | undefined;
}

export interface Advice {
  readonly interval: Interval;
  /** Bytes of the newest chunk with its indexes when it is full. */
  readonly chunkBytes: number;
  /** Rows a series has in a full chunk. */
  readonly rowsPerSeries: number;
  /** The chunk stays within its share of the memory. */
  readonly fitsMemory: boolean;
  /** Each series fills at least one batch. */
  readonly fillsBatch: boolean;
  /** For a person, a sentence each. */
  readonly why: readonly string[];
}

/** Share of the memory that the newest chunk and its indexes may take, so that inserts never wait for a disk. */
export const memoryShare = 0.25;

/** Rows the columnstore compresses together; a batch with fewer pays the same overhead for less. */
export const batchRows = 1_000;

/** Intervals a person can think in, and at whose borders days and weeks end. */
const ladder: readonly Interval[] = [
  "1 hour",
  "2 hours",
  "3 hours",
  "4 hours",
  "6 hours",
  "8 hours",
  "12 hours",
  "1 day",
  "2 days",
  "3 days",
  "5 days",
  "7 days",
  "14 days",
  "30 days",
  "60 days",
  "90 days",
].flatMap((text) => parseInterval(text) ?? []);

/**
 * The longest interval whose chunk stays in memory: long chunks compress best and are the fewest to plan over. Memory
 * goes before full batches, because a chunk that doesn't fit slows down every insert, and a batch that isn't full only
 * takes more disk.
 *
 * @throws RangeError when a number is not finite and positive
 */
export function adviseChunkInterval(rate: Rate, limits: Limits): Advice {
  for (const [name, value] of Object.entries({ ...rate, memoryBytes: limits.memoryBytes })) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new RangeError(`${name} must be finite and positive, not ${value}`);
  }
  const budget = limits.memoryBytes * memoryShare;
  const bytesOf = ({ seconds }: Interval) => (rate.rowsPerDay * rate.bytesPerRow * seconds) / 86_400;
  const rowsOf = ({ seconds }: Interval) => (rate.rowsPerDay * seconds) / 86_400 / rate.series;
  const { retention } = limits;
  const kept =
    retention === undefined ? ladder : ladder.filter(({ seconds }) => seconds <= retention.seconds);
  const shortest = ladder[0] as Interval;
  const interval = kept.findLast((candidate) => bytesOf(candidate) <= budget) ?? shortest;
  const longer = ladder[ladder.indexOf(interval) + 1];
  const chunkBytes = bytesOf(interval);
  const rowsPerSeries = rowsOf(interval);
  const advice = {
    interval,
    chunkBytes,
    rowsPerSeries,
    fitsMemory: chunkBytes <= budget,
    fillsBatch: rowsPerSeries >= batchRows,
  };
  const boundBy: Bound =
    longer === undefined
      ? "longest"
      : retention !== undefined && longer.seconds > retention.seconds
        ? "retention"
        : "memory";
  return { ...advice, why: reasons(advice, budget, boundBy, longer, limits) };
}

type Bound = "longest" | "retention" | "memory";

function reasons(
  advice: Omit<Advice, "why">,
  budget: number,
  boundBy: Bound,
  longer: Interval | undefined,
  { retention }: Limits,
): string[] {
  const { interval, chunkBytes, rowsPerSeries, fitsMemory, fillsBatch } = advice;
  const size = `a chunk of ${interval.text} takes ${bytes(chunkBytes)} with its indexes`;
  const share = `${bytes(budget)}, a quarter of the memory`;
  const rows = Math.floor(rowsPerSeries).toLocaleString("en-US");
  const bound: Record<Bound, string> = {
    longest: "longer chunks than that would only make retention coarser",
    retention: `the next longer one (${longer?.text}) would be longer than retention (${retention?.text})`,
    memory: `one of ${longer?.text} would take more`,
  };
  return [
    fitsMemory
      ? `${size}, within ${share}; ${bound[boundBy]}`
      : `${size}, more than ${share}, and there is no shorter one: more memory is needed`,
    fillsBatch
      ? `it holds ${rows} rows a series, at least one full batch (${batchRows.toLocaleString("en-US")}) of the columnstore`
      : `it holds only ${rows} rows a series, less than a full batch (${batchRows.toLocaleString("en-US")}) of the columnstore, so it compresses worse than it could: more memory, or fewer columns in segmentBy`,
  ];
}

/** "3.2 GB", in powers of 1,024 as PostgreSQL counts. */
export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(count, 1)) / 10)));
  return `${(count / 1024 ** power).toLocaleString("en-US", { maximumFractionDigits: power === 0 ? 0 : 1 })} ${units[power]}`;
}
