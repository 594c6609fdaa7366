import type { ServerFacts } from "../../infra/schema/handlers/server";
import type { StackResult } from "../engine/stack";
import type { ValidationReport } from "../validate/check";
import type { AggregateRows, Compression } from "./maintenance";

/** What `npm start` prints with `--json`: exactly one such object. */
export interface StartResult {
  readonly engine: StackResult["engine"];
  readonly database: ServerFacts;
  readonly resources: StackResult["resources"];
  readonly migrations: { readonly applied: number; readonly pending: number };
  readonly telemetry: TelemetryResult;
  readonly compression: Compression;
  readonly aggregates: AggregateRows;
  readonly validation: Pick<ValidationReport, "checks" | "failed">;
  /** Where the status page is; null with `--once`, and where its port was taken. */
  readonly page: string | null;
  readonly seconds: number;
}

export interface TelemetryResult {
  /** 0 when the generator was the source. */
  readonly files: number;
  /** Samples that were new. */
  readonly rows: number;
  /** Records that could not be read. */
  readonly rejected: number;
  /** Samples that were there already. */
  readonly duplicates: number;
  readonly rowsPerSecond: number;
}
