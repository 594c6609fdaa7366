/**
 * Benchmarks: what the numbers of docs/benchmarks.md come from. Each runs on a throw-away embedded TimescaleDB in a
 * temporary folder, and measures what it compares side by side in one run.
 */
import { loadavg } from "node:os";
import { compression } from "./compression";
import { ingest } from "./ingest";
import { thisMachine } from "./machine";
import { query } from "./query";
import type { BenchName, Report } from "./report";
import { schema } from "./schema";
import type { Bench, BenchContext } from "./types";

const benches: Readonly<Record<BenchName, Bench>> = { ingest, query, compression, schema };

/** Runs one benchmark. @throws UserError when the machine cannot run it. */
export async function runBench(name: BenchName, command: string, context: BenchContext): Promise<Report> {
  const date = new Date().toISOString();
  // Before it starts: afterwards it is our own load.
  const load = (loadavg()[0] ?? 0).toFixed(1);
  const { settings, results } = await benches[name](context);
  return {
    name,
    machine: thisMachine(),
    date,
    command,
    settings: { ...settings, "load average at the start": load },
    results,
  };
}
