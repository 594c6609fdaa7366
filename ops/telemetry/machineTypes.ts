/** What the machines of a packaging line measure, and how that follows from what they do. */
import type { MetricReference } from "./types";

/** What a machine is doing at an instant, as its sensors see it. */
export interface Physics {
  /** 1 in a shift, 0 outside: main switch on. */
  powered: number;
  /** 1 while it runs. */
  running: number;
  /** Speed as a share of the rated one; 0 when it stands. */
  speed: number;
  /** Pieces a minute. */
  rate: number;
  /** 0 cold to 1 at working temperature; follows the running with half an hour's lag. */
  warm: number;
  /** 0 to 1: how near a mechanical breakdown is, rising over the hours before it. */
  wear: number;
}

/** value = base + Σ coefficient × physics + noise, rounded to the sensor's resolution. */
export interface Response extends Partial<Physics> {
  readonly metric: string;
  readonly base?: number;
  /** Standard deviation, standing still and in addition while it runs. */
  readonly noise: number;
  readonly runningNoise?: number;
  /** Smallest step of the sensor. */
  readonly resolution: number;
}

export interface MachineType {
  readonly code: string;
  readonly name: string;
  /** Bottles in one of its pieces: a case packer counts cases. */
  readonly bottlesPerPiece: number;
  /** Mean hours of shift time between breakdowns. */
  readonly hoursBetweenBreakdowns: number;
  /** Mean share of rejects. */
  readonly rejects: number;
  /** kW; also what the energy meter integrates. */
  readonly power: Pick<Physics, "powered" | "running" | "speed"> & { readonly base: number };
  readonly responses: readonly Response[];
  /** Breakdowns that announce themselves in vibration and temperature. */
  readonly mechanical: readonly [string, ...string[]];
  readonly sudden: readonly [string, ...string[]];
}

/** The machine's state as a number: its place in `states`. */
export const stateMetric = "machine_state";
/** Pieces since the production day began. */
export const countMetric = "piece_count";

export const metrics: readonly MetricReference[] = [
  { code: stateMetric, name: "Machine state", unit: "", kind: "state" },
  { code: countMetric, name: "Piece count", unit: "pcs", kind: "counter" },
  { code: "machine_speed", name: "Machine speed", unit: "1/min", kind: "gauge" },
  { code: "motor_power", name: "Motor power", unit: "kW", kind: "gauge" },
  { code: "motor_current", name: "Motor current", unit: "A", kind: "gauge" },
  { code: "motor_torque", name: "Motor torque", unit: "Nm", kind: "gauge" },
  { code: "motor_temperature", name: "Motor temperature", unit: "°C", kind: "gauge" },
  { code: "bearing_temperature", name: "Bearing temperature", unit: "°C", kind: "gauge" },
  { code: "vibration_rms", name: "Vibration RMS", unit: "mm/s", kind: "gauge" },
  { code: "air_pressure", name: "Air pressure", unit: "bar", kind: "gauge" },
  { code: "product_flow", name: "Product flow", unit: "l/min", kind: "gauge" },
  { code: "product_temperature", name: "Product temperature", unit: "°C", kind: "gauge" },
  { code: "closing_torque", name: "Closing torque", unit: "Nm", kind: "gauge" },
  { code: "glue_temperature", name: "Glue temperature", unit: "°C", kind: "gauge" },
  { code: "web_tension", name: "Web tension", unit: "N", kind: "gauge" },
  { code: "vacuum_pressure", name: "Vacuum pressure", unit: "mbar", kind: "gauge" },
  { code: "hydraulic_pressure", name: "Hydraulic pressure", unit: "bar", kind: "gauge" },
  { code: "position_error", name: "Axis position error", unit: "mm", kind: "gauge" },
];

/** What every machine has: a drive with `kw` at rated speed, and compressed air. */
function drive(power: MachineType["power"]): Response[] {
  const kw = power.base + power.powered + power.running + power.speed;
  return [
    { metric: "machine_speed", rate: 1, noise: 0, runningNoise: 0.6, resolution: 0.1 },
    { metric: "motor_power", ...power, noise: 0.004 * kw, runningNoise: 0.02 * kw, resolution: 0.01 },
    // 400 V, three phases, power factor 0.85; a failing bearing brakes.
    {
      metric: "motor_current",
      base: power.base * 1.7,
      powered: power.powered * 1.7,
      running: power.running * 1.7,
      speed: power.speed * 1.7,
      wear: kw * 0.25,
      noise: 0.005 * kw,
      runningNoise: 0.03 * kw,
      resolution: 0.01,
    },
    {
      metric: "motor_torque",
      running: 6 * kw,
      speed: 2 * kw,
      wear: kw,
      noise: 0.02 * kw,
      runningNoise: 0.2 * kw,
      resolution: 0.1,
    },
    { metric: "motor_temperature", base: 24, warm: 38, wear: 6, noise: 0.05, resolution: 0.1 },
    { metric: "bearing_temperature", base: 23, warm: 25, wear: 22, noise: 0.05, resolution: 0.1 },
    {
      metric: "vibration_rms",
      base: 0.08,
      running: 0.5,
      speed: 1.1,
      wear: 3.6,
      noise: 0.01,
      runningNoise: 0.08,
      resolution: 0.01,
    },
    { metric: "air_pressure", base: 6.4, running: -0.35, noise: 0.01, runningNoise: 0.05, resolution: 0.01 },
  ];
}

function type(
  description: Omit<MachineType, "responses"> & { readonly own: readonly Response[] },
): MachineType {
  const { own, ...rest } = description;
  return { ...rest, responses: [...drive(description.power), ...own] };
}

/** The machines of one line, in the order in which bottles pass them. */
export const machineTypes: readonly MachineType[] = [
  type({
    code: "filler",
    name: "Filler",
    bottlesPerPiece: 1,
    hoursBetweenBreakdowns: 14,
    rejects: 0.006,
    power: { base: 0.4, powered: 1.8, running: 4.1, speed: 6.2 },
    mechanical: ["carousel bearing", "main gear"],
    sudden: ["filling valve leaks", "bottle jam at infeed star", "level sensor fault"],
    own: [
      { metric: "product_flow", speed: 182, noise: 0, runningNoise: 1.4, resolution: 0.1 },
      {
        metric: "product_temperature",
        base: 9.5,
        running: -4.5,
        noise: 0.03,
        runningNoise: 0.05,
        resolution: 0.01,
      },
    ],
  }),
  type({
    code: "capper",
    name: "Capper",
    bottlesPerPiece: 1,
    hoursBetweenBreakdowns: 18,
    rejects: 0.004,
    power: { base: 0.2, powered: 0.9, running: 1.6, speed: 2.4 },
    mechanical: ["capping head bearing"],
    sudden: ["cap chute blocked", "torque out of range"],
    own: [
      { metric: "closing_torque", running: 1.85, wear: 0.3, noise: 0, runningNoise: 0.06, resolution: 0.01 },
    ],
  }),
  type({
    code: "labeller",
    name: "Labeller",
    bottlesPerPiece: 1,
    hoursBetweenBreakdowns: 9,
    rejects: 0.009,
    power: { base: 0.3, powered: 2.2, running: 1.2, speed: 2.1 },
    mechanical: ["vacuum drum bearing", "cutting unit"],
    sudden: ["label web torn", "glue nozzle clogged", "print head fault"],
    own: [
      {
        metric: "glue_temperature",
        base: 22,
        powered: 118,
        warm: 20,
        noise: 0.1,
        runningNoise: 0.3,
        resolution: 0.1,
      },
      {
        metric: "web_tension",
        powered: 12,
        running: 23,
        wear: -4,
        noise: 0.1,
        runningNoise: 0.8,
        resolution: 0.1,
      },
    ],
  }),
  type({
    code: "case-packer",
    name: "Case packer",
    bottlesPerPiece: 12,
    hoursBetweenBreakdowns: 16,
    rejects: 0.002,
    power: { base: 0.3, powered: 1.4, running: 2.7, speed: 3.1 },
    mechanical: ["gripper lift drive"],
    sudden: ["carton jam", "gripper lost bottle", "carton magazine empty"],
    own: [
      {
        metric: "vacuum_pressure",
        base: 1_013,
        running: -640,
        wear: 60,
        noise: 0.5,
        runningNoise: 6,
        resolution: 1,
      },
      {
        metric: "glue_temperature",
        base: 22,
        powered: 133,
        warm: 15,
        noise: 0.1,
        runningNoise: 0.3,
        resolution: 0.1,
      },
    ],
  }),
  type({
    code: "palletiser",
    name: "Palletiser",
    bottlesPerPiece: 12,
    hoursBetweenBreakdowns: 24,
    rejects: 0.001,
    power: { base: 0.5, powered: 1.6, running: 5.2, speed: 4.4 },
    mechanical: ["lift axis bearing", "hydraulic pump"],
    sudden: ["pallet misplaced", "light barrier dirty"],
    own: [
      {
        metric: "hydraulic_pressure",
        powered: 95,
        running: 52,
        wear: -14,
        noise: 0.2,
        runningNoise: 1.5,
        resolution: 0.1,
      },
      {
        metric: "position_error",
        base: 0.02,
        running: 0.11,
        speed: 0.12,
        wear: 0.7,
        noise: 0.004,
        runningNoise: 0.02,
        resolution: 0.01,
      },
    ],
  }),
];
