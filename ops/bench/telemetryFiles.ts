import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { splitFields } from "../ingest/fields";
import { projectRoot } from "../paths";

/** A file's samples, column by column, with every digit it has: the ingest keeps a real's seven. */
export interface FileSamples {
  readonly times: string[];
  readonly values: number[];
  readonly metrics: number[];
}

/** Labels of the benchmark, not measurements. */
const labels = ["anomaly", "changepoint"];

/** Folder of real telemetry beside the checkout; undefined where there is none. */
export function telemetryFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const folder = env.MS5_DATA_DIR ?? join(projectRoot, "../shared/data");
  return existsSync(folder) ? folder : undefined;
}

/** The CSV files of one of its data sets. */
export function filesOf(folder: string, set: "skab" | "nab"): string[] {
  const files = existsSync(join(folder, set)) ? readdirSync(join(folder, set)) : [];
  return files.filter((file) => file.endsWith(".csv")).map((file) => join(folder, set, file));
}

/** Reads wide CSV files (time in the first column, UTC assumed), all of one machine. */
export function readSamples(files: readonly string[]): FileSamples {
  const samples: FileSamples = { times: [], values: [], metrics: [] };
  for (const file of files) {
    const [first = "", ...records] = readFileSync(file, "utf8").trim().split(/\r?\n/);
    const delimiter = first.includes(";") ? ";" : ",";
    const header = first.split(delimiter);
    for (const record of records) add(samples, header, splitFields(record, delimiter) ?? []);
  }
  return samples;
}

function add(samples: FileSamples, header: readonly string[], [time, ...cells]: string[]): void {
  for (const [at, cell] of cells.entries()) {
    if (labels.includes(header[at + 1] ?? "") || cell === "") continue;
    samples.times.push(`${time}Z`);
    samples.values.push(Number(cell));
    samples.metrics.push(at + 1);
  }
}
