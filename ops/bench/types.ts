import type { Log } from "../log";
import type { Report } from "./report";

/** What a person may choose. */
export interface BenchContext {
  readonly log: Log;
  /** Samples of the synthetic factory, about. */
  readonly rows: number;
  /** Rounds that count. */
  readonly runs: number;
  /** Rounds before them that don't. */
  readonly warmUps: number;
}

export type Bench = (context: BenchContext) => Promise<Pick<Report, "settings" | "results">>;
