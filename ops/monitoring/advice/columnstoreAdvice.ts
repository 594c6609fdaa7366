/**
 * What to change so that the columnstore of a hypertable saves more, from what it really holds. Pure.
 *
 * Where the limits come from: the columnstore keeps the rows of one segment (same segment_by values, one chunk) in batches
 * of up to 1,000 rows, and compresses each column of a batch as one array. What a batch costs besides its values
 * (a tuple, segment_by values, minimum and maximum, headers of the arrays) is the same for 5 rows as for 1,000; that is why
 * TimescaleDB's documentation on choosing segment_by wants many rows a segment and chunk, at least a hundred or so. What
 * a filter doesn't name in segment_by has to be read and unpacked, so too coarse costs speed, not space.
 */
import { z } from "zod";
import { interval } from "../../../infra/units";
import { batchRows, bytes } from "../../advise/chunkInterval";
import { type Chunk, columnRatio, sum } from "./chunks";
import { daySeconds } from "./intake";
import { median } from "./statistics";

export const severities = ["info", "warning"] as const;

const advice = z.strictObject({
  /** warning: space or time is being wasted now; info: it could be better. */
  severity: z.enum(severities),
  /** One sentence with the numbers it follows from. */
  reason: z.string(),
  /** Key of the stack's config to change (docs/config.md), without `ms5-timescale:`; null: config is right, the database isn't. */
  key: z.string().nullable(),
  /** What to set it to, as it is written in the config. */
  value: z.union([z.string(), z.boolean(), z.array(z.string())]).nullable(),
});
export type ColumnstoreAdvice = z.infer<typeof advice>;

export const columnstoreAdviceOutput = z.strictObject({
  /** Why there is no advice at all; null where there is. */
  unavailable: z.string().nullable(),
  hypertables: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(["table", "aggregate"]),
      enabled: z.boolean(),
      /** Bytes as columns for a byte as rows; null: nothing is columns yet. */
      ratio: z.number().nonnegative().nullable(),
      rowsPerSegment: z.number().nonnegative().nullable(),
      advice: z.array(advice),
    }),
  ),
});
export type ColumnstoreAnswer = z.infer<typeof columnstoreAdviceOutput>;

/** Rows of a complete chunk, by the columns that part them into segments. */
export interface Segments {
  readonly columns: readonly string[];
  readonly rows: number;
  readonly segments: number;
}

export interface ColumnstoreFacts {
  readonly name: string;
  readonly kind: "table" | "aggregate";
  readonly timeColumn: string;
  readonly chunkSeconds: number;
  readonly columnstoreAfterSeconds: number | null;
  readonly retentionSeconds: number | null;
  /** Of an aggregate: how far back it is written to. */
  readonly refreshStartSeconds: number | null;
  /** null: off. Each order is a column, with or without DESC. */
  readonly settings: { readonly segmentBy: readonly string[]; readonly orderBy: readonly string[] } | null;
  readonly chunks: readonly Chunk[];
  /** As it is parted now; null: nobody could look into it, or there is no complete chunk. */
  readonly segments: Segments | null;
  /** As the key's columns would part it; null where that is the same. */
  readonly byKey: Segments | null;
  /** Rows updated and deleted in complete chunks that are still rows, since the server counts; null: not known. */
  readonly changedRows: number | null;
}

/** Fewer rows a segment and chunk, and what each batch costs besides its values outweighs what it saves. */
export const leastSegmentRows = 100;
/** Less as rows, and the first page of each column's storage is most of what columns take. */
const smallChunkBytes = 8 * 2 ** 20;
/** What a chunk should reach when it is made longer; far from memory limits, which the chunk-interval advice knows. */
const goodChunkBytes = 64 * 2 ** 20;
const longestChunkSeconds = 30 * daySeconds;
/** Jobs run every 12 hours or so: a chunk is late only after more than one chance. */
const graceSeconds = daySeconds;
/** Saves more than this share of the rows' bytes, or it isn't worth the change. */
const worthwhile = 0.2;

/** @param at seconds since 1970 */
export function adviseColumnstore(facts: ColumnstoreFacts, at: number): ColumnstoreAdvice[] {
  if (facts.chunks.length === 0) return [];
  if (facts.settings === null) return [turnOn(facts)];
  return [
    ...noPolicy(facts),
    ...overdue(facts, at),
    ...timeNotFirst(facts),
    ...tooFine(facts),
    ...tooCoarse(facts),
    ...smallChunks(facts, at),
    ...tooLate(facts, at),
  ];
}

function turnOn({ name, kind, chunks }: ColumnstoreFacts): ColumnstoreAdvice {
  const size = bytes(sum(chunks.map((chunk) => chunk.bytes)));
  const reason = `the columnstore is off: ${size} stay rows`;
  return kind === "table"
    ? { severity: "warning", reason, key: tableKey(name, "columnstore"), value: true }
    : { severity: "info", reason, key: aggregateKey(name), value: "30 days" };
}

function noPolicy(facts: ColumnstoreFacts): ColumnstoreAdvice[] {
  if (facts.columnstoreAfterSeconds !== null) return [];
  const reason = "the columnstore is on, but no policy turns old chunks into columns";
  return [{ severity: "warning", reason, key: afterKey(facts), value: interval(earliestAfter(facts)).text }];
}

function overdue({ columnstoreAfterSeconds, chunks }: ColumnstoreFacts, at: number): ColumnstoreAdvice[] {
  if (columnstoreAfterSeconds === null) return [];
  const late = chunks.filter(
    ({ columns, to }) => !columns && to + columnstoreAfterSeconds + graceSeconds < at,
  );
  if (late.length === 0) return [];
  const reason =
    `${counted(late.length, "chunk")} of ${bytes(sum(late.map((chunk) => chunk.bytes)))} ` +
    `${late.length === 1 ? "is" : "are"} older than the policy (${interval(columnstoreAfterSeconds).text}) and still rows: ` +
    "look at the columnstore job's last runs";
  return [{ severity: "warning", reason, key: null, value: null }];
}

/** TimescaleDB puts time behind what is given, if it isn't part of it. */
function timeNotFirst({ name, kind, settings, timeColumn }: ColumnstoreFacts): ColumnstoreAdvice[] {
  const orderBy = settings?.orderBy ?? [];
  const isTime = (order: string | undefined) => order?.split(" ")[0] === timeColumn;
  if (kind === "aggregate" || isTime(orderBy[0])) return [];
  const others = orderBy.filter((order) => !isTime(order));
  const reason =
    `order_by has ${others.join(", ") || "nothing"} before ${timeColumn}: a batch then covers much of a chunk's time, ` +
    "so fewer batches can be left out by time";
  return [
    {
      severity: "info",
      reason,
      key: tableKey(name, "orderBy"),
      value: [`${timeColumn} DESC`, ...others].join(", "),
    },
  ];
}

function tooFine(facts: ColumnstoreFacts): ColumnstoreAdvice[] {
  const { name, kind, segments, chunkSeconds } = facts;
  if (segments === null || segments.segments === 0 || segments.columns.length === 0) return [];
  const rows = segments.rows / segments.segments;
  if (rows >= batchRows) return [];
  const wasteful = rows < leastSegmentRows;
  const reason =
    `a segment (${segments.columns.join(", ")}) has ${whole(rows)} rows a chunk (${whole(segments.rows)} rows in ` +
    `${whole(segments.segments)} segments): ${wasteful ? `fewer than ${leastSegmentRows} are wasteful` : `a batch holds ${whole(batchRows)}`}`;
  const severity = wasteful ? "warning" : "info";
  const longer = Math.min(longestChunkSeconds, chunkSeconds * Math.ceil(batchRows / rows));
  // An aggregate's segments are its groups and its chunks ten times its source's: the config has no key for either.
  if (kind === "aggregate") return wasteful ? [{ severity: "info", reason, key: null, value: null }] : [];
  if (longer > chunkSeconds && rows * (longer / chunkSeconds) >= leastSegmentRows)
    return [{ severity, reason, key: tableKey(name, "chunkInterval"), value: niceInterval(longer) }];
  if (segments.columns.length > 1)
    return [{ severity, reason, key: tableKey(name, "segmentBy"), value: segments.columns.slice(0, -1) }];
  return [{ severity, reason, key: null, value: null }];
}

function tooCoarse({ name, kind, settings, byKey }: ColumnstoreFacts): ColumnstoreAdvice[] {
  if (kind === "aggregate" || byKey === null || byKey.segments === 0) return [];
  const rows = byKey.rows / byKey.segments;
  if (rows < batchRows) return [];
  const missing = byKey.columns.filter((column) => settings?.segmentBy.includes(column) !== true);
  if (missing.length === 0) return [];
  const reason =
    `rows are looked up by ${missing.join(", ")}, which segment_by lacks: whole segments are unpacked for it. ` +
    `With it a segment would still have ${whole(rows)} rows a chunk, full batches`;
  return [{ severity: "info", reason, key: tableKey(name, "segmentBy"), value: [...byKey.columns] }];
}

function smallChunks(facts: ColumnstoreFacts, at: number): ColumnstoreAdvice[] {
  const { name, kind, chunks, chunkSeconds, retentionSeconds } = facts;
  const complete = chunks.filter(({ to }) => to <= at);
  if (kind === "aggregate" || complete.length < 4) return [];
  const size = median(complete.map(({ rowBytes }) => rowBytes));
  const longest = Math.min(longestChunkSeconds, (retentionSeconds ?? Number.POSITIVE_INFINITY) / 4);
  const wanted = Math.min(longest, chunkSeconds * Math.ceil(goodChunkBytes / Math.max(size, 1)));
  if (size >= smallChunkBytes || wanted < 2 * chunkSeconds) return [];
  const ratio = columnRatio(chunks);
  const reason =
    `a complete chunk has ${bytes(size)} as rows: small chunks don't pay` +
    (ratio === null ? "" : ` (columns take ${percent(ratio)} of the rows' bytes)`) +
    `, and ${counted(complete.length, "chunk")} have to be planned over. The chunk-interval advice says how long the memory allows`;
  return [{ severity: "info", reason, key: tableKey(name, "chunkInterval"), value: niceInterval(wanted) }];
}

function tooLate(facts: ColumnstoreFacts, at: number): ColumnstoreAdvice[] {
  const { columnstoreAfterSeconds, changedRows, chunks } = facts;
  const ratio = columnRatio(chunks);
  const earlier = earliestAfter(facts);
  if (columnstoreAfterSeconds === null || changedRows !== 0 || ratio === null) return [];
  if (earlier * 2 > columnstoreAfterSeconds) return [];
  const early = chunks.filter(({ columns, to }) => !columns && to + earlier <= at);
  const saved = sum(early.map(({ rowBytes }) => rowBytes)) * (1 - ratio);
  if (saved < worthwhile * sum(chunks.map((chunk) => chunk.bytes))) return [];
  const reason =
    `no row of the ${counted(early.length, "complete chunk")} that wait${early.length === 1 ? "s" : ""} for the policy ` +
    `(${interval(columnstoreAfterSeconds).text}) was changed since the server counts: as columns they would take ${bytes(saved)} less`;
  return [{ severity: "info", reason, key: afterKey(facts), value: interval(earlier).text }];
}

/** A day after the chunk's end at least, for what comes late; never while refreshes still write there. */
function earliestAfter({ chunkSeconds, refreshStartSeconds }: ColumnstoreFacts): number {
  return Math.max(daySeconds, Math.ceil(chunkSeconds / 3_600) * 3_600, refreshStartSeconds ?? 0);
}

function tableKey(name: string, setting: string): string {
  return `timescaledb.tables.${name}.${setting}`;
}

function aggregateKey(name: string): string {
  return `timescaledb.aggregates.${name}.columnstoreAfter`;
}

function afterKey({ name, kind }: ColumnstoreFacts): string {
  return kind === "table" ? tableKey(name, "columnstoreAfter") : aggregateKey(name);
}

/** Whole days from a day on. */
function niceInterval(seconds: number): string {
  return interval(seconds >= daySeconds ? Math.floor(seconds / daySeconds) * daySeconds : seconds).text;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}
