import type { Samples } from "../ingest/batch";

/** Rows of the reference tables. Other rows refer to them by their place in the list. */
export interface MachineReference {
  readonly code: string;
  readonly name: string;
  readonly line: string;
  /** IANA name. */
  readonly timezone: string;
}

export interface MetricReference {
  readonly code: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: "gauge" | "counter" | "state";
}

export interface ShiftReference {
  readonly code: string;
  /** Local times of the machine, `HH:MM`. */
  readonly starts: string;
  readonly ends: string;
  /** ISO weekdays (1 = Monday) on which the shift starts. */
  readonly weekdays: readonly number[];
}

export interface ProductionOrder {
  readonly orderNo: string;
  readonly product: string;
  /** Seconds a bottle takes at the product's rated speed. */
  readonly idealCycleS: number;
  readonly quantityPlanned: number;
  readonly startedAt: Date;
  /** Null while the order runs on after the window's end. */
  readonly finishedAt: Date | null;
}

export const states = ["running", "idle", "setup", "breakdown", "planned_stop"] as const;
export type State = (typeof states)[number];

/** What a row of the slower tables refers to: places in `Line.machines`, `Line.shifts`, `Line.orders`. */
interface Context {
  readonly ts: Date;
  readonly machine: number;
  readonly shift: number | null;
  readonly order: number | null;
}

/** A row of `oee_calculations`: a window that starts at `ts` and crosses no full hour, shift border or order change. */
export interface OeeCalculation extends Context {
  readonly plannedS: number;
  readonly runS: number;
  readonly idealCycleS: number;
  readonly totalCount: number;
  readonly goodCount: number;
}

/** A row of `energy_consumption`: a quarter of an hour that starts at `ts`. */
export interface EnergyConsumption {
  readonly ts: Date;
  readonly machine: number;
  readonly meterKwh: number;
  readonly energyKwh: number;
  readonly meanPowerKw: number;
  readonly peakPowerKw: number;
}

/** A row of `production_kpis`: a machine, order and hour that starts at `ts`. */
export interface ProductionKpi extends Context {
  readonly order: number;
  readonly totalCount: number;
  readonly goodCount: number;
  readonly downtimeS: number;
  readonly changeoverS: number;
  readonly meanCycleS: number | null;
}

/** A row of `production_context_history`: holds from `ts` until the machine's next row. */
export interface ContextChange extends Context {
  readonly state: State;
  readonly reason: string | null;
  /** A pseudonym; nobody is at a machine outside the shifts. */
  readonly operatorRef: string | null;
  readonly details: Readonly<Record<string, string | number>> | null;
}

/**
 * A packaging line over a window of time. Each call of a method starts from the beginning.
 *
 * Everything is a function of seed, machine and instant: windows that overlap agree where they do, and the sampling
 * interval changes which instants are seen, not what is seen there.
 */
export interface Line {
  readonly machines: readonly MachineReference[];
  readonly metrics: readonly MetricReference[];
  readonly shifts: readonly ShiftReference[];
  /** Those that are being made at some time in the window. */
  readonly orders: readonly ProductionOrder[];
  /** How many samples `samples` gives in all. */
  readonly sampleCount: number;
  /**
   * `metric_hist`, in order of time; machines and metrics are numbered by their places in the lists. The arrays are
   * the caller's to keep.
   * @param batchSamples size of all batches but the last; default 10,000.
   */
  samples(batchSamples?: number): Iterable<Samples>;
  oee(): Iterable<OeeCalculation>;
  energy(): Iterable<EnergyConsumption>;
  kpis(): Iterable<ProductionKpi>;
  /** The first row of each machine began before the window, unless something changes right at its start. */
  context(): Iterable<ContextChange>;
}
