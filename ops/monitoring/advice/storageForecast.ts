/** How large the database will be: what chunks take today, what comes in, and what policies make of both. Pure. */
import { z } from "zod";
import { bytes } from "../../advise/chunkInterval";
import { columnRatio, sum } from "./chunks";
import { dailyIntake, daySeconds, type ExpectedIntake, expectIntake, leastWeeks } from "./intake";
import { mean } from "./statistics";
import { intakeOf, type StoredTable, sizeAfter, sizeThen, tableAt } from "./storageModel";

export const storageForecastInput = z.strictObject({
  /** Of the volume that is to be watched; absent: nobody asks when it is full. */
  volumeBytes: z.coerce.number().positive().optional(),
});
export type StorageForecastInput = z.infer<typeof storageForecastInput>;

const instant = z.iso.datetime();
const size = z.number().nonnegative();

export const storageForecastOutput = z.strictObject({
  /** Oldest first; the last one is now. */
  history: z.array(z.strictObject({ at: instant, bytes: size })),
  /** A day each; empty when the history is too short. Four of five outcomes are meant to lie between low and high. */
  forecast: z.array(z.strictObject({ at: instant, bytes: size, low: size, high: size })),
  /** Of the volume that is watched; null: nobody said. */
  volumeBytes: size.nullable(),
  /** When the volume is full; null: not within the forecast, or nobody said how large it is. */
  fullAt: instant.nullable(),
  /** The same by the upper end of the band: the day to have done something by. */
  fullAtEarliest: instant.nullable(),
  /** Mean of |forecast − real| / real over the days that the forecast was made to forget; null: too few of them. */
  error: z.strictObject({ mape: z.number().nullable(), backtestDays: z.number().int() }),
  method: z.string(),
  /** What to know before believing it. */
  notes: z.array(z.string()),
  perHypertable: z.array(
    z.strictObject({
      name: z.string(),
      /** A day's intake as rows. */
      bytesPerDay: size,
      /** The same when it has become columns; null where it never does, or nobody has measured it yet. */
      columnBytesPerDay: size.nullable(),
      /** Until it becomes columns. */
      rowDays: z.number().nullable(),
      /** Until it is deleted; null: never. */
      keptDays: z.number().nullable(),
    }),
  ),
});
export type StorageForecast = z.infer<typeof storageForecastOutput>;

export interface StorageFacts {
  readonly tables: readonly StoredTable[];
  /** Of the database, with all that is no chunk; that part is taken to stay as it is. */
  readonly databaseBytes: number;
  /** Seconds since 1970. */
  readonly at: number;
}

export const forecastDays = 90;
/** Days that a backtest leaves to learn from, at least. */
const leastLearningDays = 14;
const method =
  "mean weekly intake of the last 12 weeks as rows (with a linear trend where one is significant), taken through each table's chunks: as rows, as columns by the table's own ratio, then deleted; band: 80 % prediction interval";

export function forecastStorage(facts: StorageFacts, { volumeBytes }: StorageForecastInput): StorageForecast {
  const { at } = facts;
  const other = Math.max(0, facts.databaseBytes - sum(facts.tables.map((table) => sizeThen(table, at, at))));
  const known = knownDays(facts.tables, at);
  const projected = known >= leastLearningDays ? project(facts.tables, at, forecastDays) : [];
  const forecast = projected.map((day, index) => ({
    at: iso(at + (index + 1) * daySeconds),
    bytes: Math.round(other + day.bytes),
    low: Math.round(other + day.low),
    high: Math.round(other + day.high),
  }));
  const full = (value: (day: (typeof forecast)[number]) => number) =>
    volumeBytes === undefined ? null : (forecast.find((day) => value(day) >= volumeBytes)?.at ?? null);
  const error = backtest(facts.tables, at, known, other);
  return {
    history: history(facts.tables, at, Math.min(known, forecastDays), other),
    forecast,
    volumeBytes: volumeBytes ?? null,
    fullAt: full((day) => day.bytes),
    fullAtEarliest: full((day) => day.high),
    error,
    method,
    notes: notes(facts.tables, at, known, error.mape),
    perHypertable: facts.tables.map((table) => cost(table, at)),
  };
}

/** Whole days of the table that takes the most: small ones with long chunks seem to go back further than they do. */
function knownDays(tables: readonly StoredTable[], at: number): number {
  const size = ({ chunks }: StoredTable) => sum(chunks.map(({ rowBytes }) => rowBytes));
  const largest = tables.toSorted((a, b) => size(b) - size(a))[0];
  return largest === undefined ? 0 : dailyIntake(largest.chunks, at).bytes.length;
}

function expectedIntake({ chunks, chunkSeconds }: StoredTable, at: number): ExpectedIntake | undefined {
  return expectIntake(dailyIntake(chunks, at).bytes, chunkSeconds / daySeconds) ?? guess(chunks, at);
}

/** A table younger than two weeks in a database that isn't: its mean so far, for what that is worth. */
function guess(chunks: StoredTable["chunks"], at: number): ExpectedIntake | undefined {
  const daily = dailyIntake(chunks, at).bytes;
  if (daily.length === 0) return undefined;
  const perDay = mean(daily);
  return { perDay, perDayAndWeek: 0, total: (days, side) => days * perDay * (1 + side) };
}

function project(tables: readonly StoredTable[], at: number, days: number) {
  const parts = tables.map((table) => {
    const expected = expectedIntake(table, at);
    const ratio = columnRatio(table.chunks);
    return (day: number, side: -1 | 0 | 1) => sizeAfter(table, at, day, ratio, intakeOf(expected, side));
  });
  return Array.from({ length: days }, (_, index) => {
    const total = (side: -1 | 0 | 1) => sum(parts.map((part) => part(index + 1, side)));
    return { bytes: total(0), low: total(-1), high: total(1) };
  });
}

/** Forgets the last third (90 days at most), forecasts it, and compares. */
function backtest(
  tables: readonly StoredTable[],
  at: number,
  known: number,
  other: number,
): StorageForecast["error"] {
  const days = Math.min(forecastDays, Math.floor(known / 3));
  if (days < 1 || known - days < leastLearningDays) return { mape: null, backtestDays: 0 };
  const then = at - days * daySeconds;
  const predicted = project(
    tables.map((table) => tableAt(table, then, at)),
    then,
    days,
  );
  const errors = predicted.map((day, index) => {
    const real = sum(tables.map((table) => withoutDeleted(table, then + (index + 1) * daySeconds, at)));
    return Math.abs(day.bytes - real) / Math.max(1, real + other);
  });
  return { mape: mean(errors), backtestDays: days };
}

/** Both sides of the comparison are of the chunks that are still there: those that are gone can't be compared. */
function withoutDeleted(table: StoredTable, then: number, at: number): number {
  return sizeThen({ ...table, retentionSeconds: null }, then, at);
}

function history(tables: readonly StoredTable[], at: number, days: number, other: number) {
  return Array.from({ length: days + 1 }, (_, index) => {
    const then = at - (days - index) * daySeconds;
    return {
      at: iso(then),
      bytes: Math.round(other + sum(tables.map((table) => sizeThen(table, then, at)))),
    };
  });
}

function cost(table: StoredTable, at: number): StorageForecast["perHypertable"][number] {
  const perDay = expectedIntake(table, at)?.perDay ?? 0;
  const ratio = table.columnstoreAfterSeconds === null ? null : columnRatio(table.chunks);
  return {
    name: table.name,
    bytesPerDay: Math.round(perDay),
    columnBytesPerDay: ratio === null ? null : Math.round(perDay * ratio),
    rowDays: inDays(table.columnstoreAfterSeconds),
    keptDays: inDays(table.retentionSeconds),
  };
}

function notes(tables: readonly StoredTable[], at: number, known: number, mape: number | null): string[] {
  const told: string[] = [];
  if (known < leastLearningDays)
    told.push(
      `no forecast: the chunks hold ${known} whole days, and fewer than ${leastLearningDays} say nothing about the next ${forecastDays}`,
    );
  else if (mape === null)
    told.push(`the error is not known: ${known} days are too few to forecast some of them from the others`);
  else if (known < forecastDays)
    told.push(`the history is shorter (${known} days) than the forecast (${forecastDays} days)`);
  for (const table of tables) {
    const { bytes: daily } = dailyIntake(table.chunks, at);
    const perDay = expectedIntake(table, at)?.perDay ?? 0;
    if (known >= leastLearningDays && daily.length > 0 && daily.length < leastWeeks * 7)
      told.push(
        `${table.name}: only ${daily.length} whole days are known; its band is nothing to twice the mean`,
      );
    if (
      table.columnstoreAfterSeconds !== null &&
      table.chunks.length > 0 &&
      columnRatio(table.chunks) === null
    )
      told.push(`${table.name}: no chunk is columns yet, so none of what columns will save is counted`);
    const newest = table.chunks.at(-1);
    if (newest !== undefined && newest.to < at)
      told.push(`${table.name}: nothing has come in since ${iso(newest.to)}`);
    if (table.retentionSeconds === null && perDay > 0)
      told.push(`${table.name}: kept for ever, so it never stops growing (${bytes(perDay)} a day as rows)`);
  }
  return told;
}

function inDays(seconds: number | null): number | null {
  return seconds === null ? null : seconds / daySeconds;
}

function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
