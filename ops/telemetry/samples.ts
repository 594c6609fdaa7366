/** The sensors: turns timelines into samples, batch by batch. */
import type { Samples } from "../ingest/batch";
import { countMetric, machineTypes, metrics, type Physics, type Response, stateMetric } from "./machineTypes";
import { hash, noise } from "./random";
import { type Failure, piecesAt, type Segment, warmAt } from "./timeline";
import { states } from "./types";

const metricNumbers = new Map(metrics.map(({ code }, number) => [code, number]));

function metricNumber(code: string): number {
  const number = metricNumbers.get(code);
  if (number === undefined) throw new RangeError(`no metric ${code}`);
  return number;
}

/** One machine's place in a stream of growing instants. */
export class MachineSensors {
  private readonly responses: readonly (Required<Response> & {
    series: number;
    number: number;
    perUnit: number;
  })[];
  private readonly physics: Physics = { powered: 0, running: 0, speed: 0, rate: 0, warm: 0, wear: 0 };
  private readonly stateNumber = metricNumber(stateMetric);
  private readonly countNumber = metricNumber(countMetric);
  private current: Segment | undefined;
  private failure: Failure | undefined;

  /**
   * @param machine its number in the samples.
   * @param seed of the machine.
   * @param segments that cover all instants asked for, in order.
   * @param failures in order, also those soon after the last instant.
   */
  constructor(
    private readonly machine: number,
    seed: number,
    typeNumber: number,
    private readonly segments: Iterator<Segment>,
    private readonly failures: Iterator<Failure>,
  ) {
    const none: Physics = { powered: 0, running: 0, speed: 0, rate: 0, warm: 0, wear: 0 };
    this.responses = (machineTypes[typeNumber]?.responses ?? []).map((response) => ({
      base: 0,
      runningNoise: 0,
      ...none,
      ...response,
      number: metricNumber(response.metric),
      series: hash(seed, metricNumber(response.metric)),
      perUnit: 1 / response.resolution,
    }));
    this.failure = next(this.failures);
  }

  /** How many samples a machine of this type gives at each instant. */
  static samplesAtOnce(typeNumber: number): number {
    return (machineTypes[typeNumber]?.responses.length ?? 0) + 2;
  }

  /** Writes the samples of one instant (UTC seconds) at `at`; returns where the next ones go. */
  write(instant: number, into: Writable, at: number): number {
    const segment = this.segmentAt(instant);
    const physics = this.sense(segment, instant);
    const { times, values, machines, metrics: numbers } = into;
    const micros = instant * 1e6;
    times.fill(micros, at, at + this.responses.length + 2);
    machines.fill(this.machine, at, at + this.responses.length + 2);
    numbers[at] = this.stateNumber;
    values[at] = states.indexOf(segment.state);
    numbers[at + 1] = this.countNumber;
    values[at + 1] = piecesAt(segment, instant);
    let place = at + 2;
    for (const response of this.responses) {
      const value =
        response.base +
        response.powered * physics.powered +
        response.running * physics.running +
        response.speed * physics.speed +
        response.rate * physics.rate +
        response.warm * physics.warm +
        response.wear * physics.wear +
        noise(response.series, instant) * (response.noise + response.runningNoise * physics.running);
      numbers[place] = response.number;
      values[place] = Math.round(value * response.perUnit) / response.perUnit;
      place += 1;
    }
    return place;
  }

  private segmentAt(instant: number): Segment {
    while (this.current === undefined || this.current.to <= instant) {
      const following = next(this.segments);
      if (following === undefined) throw new RangeError(`the timeline ends before ${instant}`);
      this.current = following;
    }
    return this.current;
  }

  private sense(segment: Segment, instant: number): Physics {
    while (this.failure !== undefined && this.failure.from <= instant) this.failure = next(this.failures);
    const physics = this.physics;
    physics.powered = segment.shift === null ? 0 : 1;
    physics.running = segment.state === "running" ? 1 : 0;
    physics.speed = segment.speed;
    physics.rate = segment.speed === 0 ? 0 : (60 * segment.speed) / segment.idealCycleS;
    physics.warm = warmAt(segment, instant);
    physics.wear = physics.running * wearBefore(this.failure, instant);
    return physics;
  }
}

/** Slow at first, fast at last. */
function wearBefore(failure: Failure | undefined, instant: number): number {
  if (failure === undefined) return 0;
  const share = 1 - (failure.from - instant) / failure.warningS;
  return share > 0 ? share * share : 0;
}

function next<T>(iterator: Iterator<T>): T | undefined {
  const { done, value } = iterator.next();
  return done === true ? undefined : value;
}

/** A batch while it is filled. */
export interface Writable extends Samples {
  length: number;
}

export function emptyBatch(capacity: number): Writable {
  return {
    length: 0,
    times: new Float64Array(capacity),
    values: new Float32Array(capacity),
    machines: new Int32Array(capacity),
    metrics: new Int32Array(capacity),
  };
}

/**
 * Cuts what the machines give into batches of one size.
 * @param instants UTC seconds: from, to (excluded) and step.
 */
export function* batches(
  sensors: readonly MachineSensors[],
  samplesAtOnce: number,
  instants: { from: number; to: number; step: number },
  batchSamples: number,
): Generator<Samples> {
  // Room for the instant that does not fit any more; what is over begins the next batch.
  let batch = emptyBatch(batchSamples + samplesAtOnce);
  for (let instant = instants.from; instant < instants.to; instant += instants.step) {
    for (const machine of sensors) batch.length = machine.write(instant, batch, batch.length);
    while (batch.length >= batchSamples) {
      const full = batch;
      batch = emptyBatch(batchSamples + samplesAtOnce);
      batch.length = full.length - batchSamples;
      for (const column of ["times", "values", "machines", "metrics"] as const) {
        batch[column].set(full[column].subarray(batchSamples, full.length));
      }
      yield part(full, batchSamples);
    }
  }
  if (batch.length > 0) yield part(batch, batch.length);
}

function part(batch: Writable, length: number): Samples {
  return {
    length,
    times: batch.times.subarray(0, length),
    values: batch.values.subarray(0, length),
    machines: batch.machines.subarray(0, length),
    metrics: batch.metrics.subarray(0, length),
  };
}
