import { UserError } from "../../infra/errors";
import { detectDelimiter } from "./delimiter";
import { splitFields } from "./fields";
import { acceptedTimes, parseInstant } from "./instant";
import { type DecimalMark, detectDecimalMark, isNanOrInfinity, parseReal } from "./number";
import { utc } from "./zone";

/** What each column of a file means. Indexes count from 0. */
export interface Layout {
  readonly delimiter: string;
  readonly decimalMark: DecimalMark;
  /** Line number of the header, from 1. */
  readonly headerLine: number;
  readonly fields: number;
  readonly time: number;
  /** The column that names the machine, where there is one. */
  readonly machine?: number;
  /** Machine names met in the head of the file. */
  readonly machineSamples: readonly string[];
  /** `wide`: a column is a metric. `long`: a row names its metric. */
  readonly samples:
    | {
        readonly shape: "wide";
        readonly columns: readonly { readonly index: number; readonly metric: string }[];
      }
    | { readonly shape: "long"; readonly metric: number; readonly value: number };
  /** True when the only value column has no name of its own, so that the metric is called like the file. */
  readonly namedAfterFile: boolean;
  /** Sentences about columns that are left out. */
  readonly notes: readonly string[];
}

const names = {
  time: [
    "time",
    "timestamp",
    "datetime",
    "ts",
    "date",
    "utc",
    "timeutc",
    "timestamputc",
    "zeit",
    "zeitstempel",
  ],
  machine: [
    "machine",
    "machineid",
    "machinecode",
    "machinename",
    "device",
    "deviceid",
    "asset",
    "assetid",
    "equipment",
  ],
  metric: [
    "metric",
    "metricname",
    "metriccode",
    "metricid",
    "sensor",
    "sensorid",
    "sensorname",
    "tag",
    "tagname",
  ].concat(["signal", "signalname", "parameter", "variable", "measurement", "channel"]),
  value: ["value", "val", "reading", "measuredvalue", "wert"],
} as const;

/** Text cells a column must show, and no number, to be taken for text rather than for a metric with bad rows. */
const textCells = 3;

/**
 * Works out the layout from the first lines of a file.
 *
 * @param head the first lines, without an incomplete last one.
 * @param fileName for messages, and the metric's name where the file does not give one.
 * @throws UserError when there is no header, no time column or nothing to measure.
 */
export function detectLayout(head: readonly string[], fileName: string, metricFromFile: string): Layout {
  const headerAt = head.findIndex((line) => line.trim() !== "");
  const headerText = head[headerAt];
  if (headerText === undefined) throw refused(fileName, "is empty", "export it again");
  const samples = head.slice(headerAt + 1).filter((line) => line.trim() !== "");
  const delimiter = detectDelimiter(headerText, samples);
  const header = delimiter === undefined ? undefined : splitFields(headerText, delimiter);
  if (delimiter === undefined || header === undefined)
    throw refused(
      fileName,
      `is no table: neither comma, semicolon, tab nor | splits its header and its rows alike (line ${headerAt + 1})`,
      "export it as CSV with a header line that names every column",
    );
  refuseMissingHeader(header, fileName, headerAt + 1);
  const rows = samples
    .map((line) => splitFields(line, delimiter))
    .filter((fields): fields is string[] => fields?.length === header.length);
  const column = (index: number) => rows.map((row) => row[index] ?? "").filter((cell) => cell !== "");

  const keys = header.map(key);
  const time = findTime(header, keys, column, rows.length, fileName, headerAt + 1);
  const machine = find(keys, names.machine, [time]);
  const others = [...header.keys()].filter((index) => index !== time && index !== machine);
  const decimalMark = detectDecimalMark(
    others.flatMap((index) => column(index)),
    delimiter,
  );
  const base = {
    delimiter,
    decimalMark,
    headerLine: headerAt + 1,
    fields: header.length,
    time,
    ...(machine === undefined ? {} : { machine }),
    machineSamples: machine === undefined ? [] : [...new Set(column(machine))],
  };

  const metric = find(keys, names.metric, [time, machine]);
  const value = find(keys, names.value, [time, machine]);
  if (metric !== undefined && value !== undefined) {
    const ignored = others.filter((index) => index !== metric && index !== value && header[index] !== "");
    return {
      ...base,
      samples: { shape: "long", metric, value },
      namedAfterFile: false,
      notes: ignored.map((index) => `column ${JSON.stringify(header[index])} is left out`),
    };
  }

  const unnamed = others.filter((index) => isUnnamed(header[index] ?? ""));
  const text = others.filter((index) => !unnamed.includes(index) && holdsText(column(index), decimalMark));
  const measured = others.filter((index) => !unnamed.includes(index) && !text.includes(index));
  if (measured.length === 0)
    throw refused(
      fileName,
      "has a time column but no column with numbers",
      "export at least one column of numbers; a column is taken for text when its first rows hold no number",
    );
  const namedAfterFile = measured.length === 1 && measured[0] === value;
  const columns = measured.map((index) => ({
    index,
    metric: namedAfterFile ? metricFromFile : (header[index] ?? ""),
  }));
  refuseRepeated(
    columns.map((item) => item.metric),
    fileName,
    headerAt + 1,
  );
  return {
    ...base,
    samples: { shape: "wide", columns },
    namedAfterFile,
    notes: [
      ...text.map(
        (index) => `column ${JSON.stringify(header[index])} holds text, not numbers, and is left out`,
      ),
      ...unnamed
        .filter((index) => column(index).length > 0)
        .map((index) => `column ${index + 1} has no name and is left out`),
    ],
  };
}

/** A header name without its unit, case and punctuation: `Time [UTC]` and `time` are the same key. */
function key(name: string): string {
  return name
    .toLowerCase()
    .replace(/\[.*?\]|\(.*?\)/g, "")
    .replace(/[^\p{L}\p{N}]/gu, "");
}

function find(keys: readonly string[], wanted: readonly string[], taken: readonly (number | undefined)[]) {
  const at = keys.findIndex((name, index) => wanted.includes(name) && !taken.includes(index));
  return at === -1 ? undefined : at;
}

/** pandas calls the index column that it writes without a name `Unnamed: 0` when it reads it back. */
function isUnnamed(name: string): boolean {
  return name === "" || /^unnamed: \d+$/i.test(name);
}

function holdsText(cells: readonly string[], mark: DecimalMark): boolean {
  const readable = cells.some((cell) => typeof parseReal(cell, mark) === "number" || isNanOrInfinity(cell));
  return !readable && cells.length >= textCells;
}

function isTime(cell: string): boolean {
  return typeof parseInstant(cell, utc) === "number";
}

/**
 * A column called like a time that holds one, else the only column whose cells are mostly dates. Epoch numbers count
 * only under a time's name, because a counter looks just like them.
 */
function findTime(
  header: readonly string[],
  keys: readonly string[],
  column: (index: number) => string[],
  rows: number,
  fileName: string,
  line: number,
): number {
  const named = [...keys.keys()].filter((index) =>
    (names.time as readonly string[]).includes(keys[index] ?? ""),
  );
  const fits = named.find((index) => column(index).some(isTime));
  if (fits !== undefined) return fits;
  const dated = [...keys.keys()].filter((index) => {
    const cells = column(index);
    const dates = cells.filter((cell) => cell.includes("-") && isTime(cell)).length;
    return dates > 0 && dates >= rows / 2;
  });
  if (dated.length === 1 && dated[0] !== undefined) return dated[0];
  // A header alone is a table without records, which is no fault.
  if (rows === 0 && named[0] !== undefined) return named[0];
  const example = named[0] === undefined ? undefined : column(named[0])[0];
  if (named[0] !== undefined && example !== undefined)
    throw refused(
      fileName,
      `has no time we can read: column ${JSON.stringify(header[named[0]])} holds ${JSON.stringify(example.slice(0, 60))}`,
      `write times like ${acceptedTimes}`,
    );
  throw refused(
    fileName,
    dated.length > 1
      ? `has several columns with times and none is called "time" (line ${line})`
      : `has no time column (line ${line}: ${header
          .map((name) => JSON.stringify(name))
          .join(", ")
          .slice(0, 200)})`,
    `call the column "time" and write times like ${acceptedTimes}`,
  );
}

function refuseMissingHeader(header: readonly string[], fileName: string, line: number): void {
  const data = header.find((cell) => isTime(cell) || /^[+-]?\d+[.,]\d+$/.test(cell));
  if (data === undefined && header.some((cell) => /\p{L}/u.test(cell))) return;
  throw refused(
    fileName,
    `has no header: line ${line} is data (${JSON.stringify(data ?? header[0])})`,
    "put a line above it that names every column, one of them called time",
  );
}

function refuseRepeated(metrics: readonly string[], fileName: string, line: number): void {
  const seen = new Set<string>();
  for (const metric of metrics) {
    if (seen.has(metric.toLowerCase()))
      throw refused(
        fileName,
        `has two columns called ${JSON.stringify(metric)} (line ${line})`,
        "give every column a name of its own",
      );
    seen.add(metric.toLowerCase());
  }
}

/** A file that cannot be read at all; nothing of it has been written. */
export function refused(fileName: string, what: string, fix: string): UserError {
  return new UserError(`${fileName} ${what}`, { fix });
}
