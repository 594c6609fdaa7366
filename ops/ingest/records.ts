import type { StackConfig } from "../../infra/config";
import type { Batch } from "./batch";
import { splitFields } from "./fields";
import { parseInstant } from "./instant";
import type { Layout } from "./layout";
import type { Names } from "./names";
import { parseReal } from "./number";
import type { Zone } from "./zone";

/** Samples before `earliest` or after `latest` come from a clock that was not set. */
export interface AllowedTimes {
  readonly earliest: Date;
  readonly latest: Date;
}

/** The allowed times of a stack, at this moment. */
export function allowedTimes({ earliest, futureTolerance }: StackConfig["ingest"]): AllowedTimes {
  return {
    earliest: new Date(`${earliest}T00:00:00Z`),
    latest: new Date(Date.now() + futureTolerance.seconds * 1_000),
  };
}

export interface RecordReader {
  readonly layout: Layout;
  readonly allowed: AllowedTimes;
  readonly machines: Names;
  readonly metrics: Names;
  /** The machine of every record, unless a column of the file says so. */
  readonly machine: string | undefined;
  zoneOf(machine: string): Zone;
}

/** Longest name of a machine or metric that a row of a long file may carry. */
const longestName = 200;

/**
 * Makes the function that reads one record into a batch. All or nothing: a record with one bad cell adds no sample, so
 * that the reject file holds whole records that can be put right and ingested. An empty cell of a wide file is no
 * sample and no fault, but a record without any sample is rejected.
 *
 * The function returns the reason why the record is rejected.
 */
export function createRecordReader(reader: RecordReader): (line: string, batch: Batch) => string | undefined {
  const { layout, machines, metrics } = reader;
  const { samples, delimiter, decimalMark } = layout;
  const earliest = reader.allowed.earliest.getTime() * 1000;
  const latest = reader.allowed.latest.getTime() * 1000;
  const columns =
    samples.shape === "wide"
      ? samples.columns.map(({ index, metric }) => ({
          index,
          metric,
          number: undefined as number | undefined,
        }))
      : [];

  return (line, batch) => {
    const fields = splitFields(line, delimiter);
    if (fields === undefined) return "a quote is not closed, or text follows a closing quote";
    if (fields.length !== layout.fields) return `${fields.length} fields instead of ${layout.fields}`;

    const machine = reader.machine ?? fields[layout.machine ?? -1] ?? "";
    if (machine === "") return "names no machine";
    if (machine.length > longestName) return `the machine's name is longer than ${longestName} characters`;
    const timeText = fields[layout.time] ?? "";
    if (timeText === "") return "has no time";
    const time = parseInstant(timeText, reader.zoneOf(machine));
    if (typeof time === "string") return time;
    if (time < earliest) return `${timeText} is before ${reader.allowed.earliest.toISOString()}`;
    if (time > latest) return `${timeText} is after ${reader.allowed.latest.toISOString()}`;

    if (samples.shape === "long") {
      const metric = fields[samples.metric] ?? "";
      if (metric === "") return "names no metric";
      if (metric.length > longestName) return `the metric's name is longer than ${longestName} characters`;
      const text = fields[samples.value] ?? "";
      if (text === "") return "has no value";
      const value = parseReal(text, decimalMark);
      if (typeof value === "string") return value;
      batch.push(time, value, machines.numberOf(machine), metrics.numberOf(metric));
      return undefined;
    }
    const before = batch.length;
    for (const column of columns) {
      const text = fields[column.index] ?? "";
      if (text === "") continue;
      const value = parseReal(text, decimalMark);
      if (typeof value === "string") {
        batch.truncate(before);
        return `${column.metric}: ${value}`;
      }
      // Named when first used: a column that is always empty stays out of the dictionary.
      column.number ??= metrics.numberOf(column.metric);
      batch.push(time, value, machines.numberOf(machine), column.number);
    }
    return batch.length === before ? "has no value" : undefined;
  };
}
