/** What a run comes to: by kind, and against the goals. Pure. */
import { type Machine, machineText, markdownTable, measuredText, settingsText, textTable } from "../report";
import type { Outcome } from "./evaluate";
import { factsOf, type Kind, kindNames } from "./kinds";

/** One fault as it went. Times are seconds. */
export interface FaultRecord extends Omit<Outcome, "ms"> {
  readonly number: number;
  readonly kind: Kind;
  /** The primary before and after. */
  readonly from: string;
  readonly to: string;
  /** As the kind's `measure` says, for clients; undefined when nobody could write again. */
  readonly seconds: number | undefined;
  /** The same for who writes in the members' own pods, past pooler and network. */
  readonly databaseSeconds: number | undefined;
  /** From its undoing until all members were there again. */
  readonly wholeAfterSeconds: number | undefined;
  readonly lost: number;
  readonly twoPrimaries: number;
  /** Some of the writes that these two count. */
  readonly evidence: readonly string[];
  /** Of the machine, just before. */
  readonly load: number;
}

export interface KindSummary {
  readonly kind: Kind;
  readonly does: string;
  readonly measure: string;
  readonly count: number;
  /** Seconds. Not there when a fault of the kind was never over. */
  readonly p50?: number;
  readonly p95?: number;
  readonly max?: number;
  readonly lost: number;
  readonly clientErrors: number;
  readonly twoPrimaries: number;
  readonly problems: readonly string[];
}

export interface GoalResult {
  readonly goal: string;
  readonly reached: string;
  readonly met: boolean;
}

export interface FailoverReport {
  readonly name: "failover";
  readonly machine: Machine;
  /** ISO. */
  readonly date: string;
  readonly command: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly kinds: readonly KindSummary[];
  readonly goals: readonly GoalResult[];
  readonly notDone: Readonly<Record<string, string>>;
  readonly acknowledged: number;
  readonly lost: number;
  readonly twoPrimaries: number;
  readonly stopped?: string;
  readonly faults: readonly FaultRecord[];
}

export function summariseKinds(faults: readonly FaultRecord[]): KindSummary[] {
  return kindNames.flatMap((kind) => {
    const own = faults.filter((fault) => fault.kind === kind);
    if (own.length === 0) return [];
    const { does, measure } = factsOf(kind);
    const sum = (of: (fault: FaultRecord) => number) => own.reduce((total, fault) => total + of(fault), 0);
    return [
      {
        kind,
        does,
        measure,
        count: own.length,
        ...times(own),
        lost: sum(({ lost }) => lost),
        clientErrors: sum(({ clientErrors }) => clientErrors),
        twoPrimaries: sum(({ twoPrimaries }) => twoPrimaries),
        problems: own.flatMap(({ number, problems }) => problems.map((problem) => `${problem} (${number})`)),
      },
    ];
  });
}

function times(faults: readonly FaultRecord[]): { p50: number; p95: number; max: number } | undefined {
  const seconds = faults.flatMap(({ seconds }) => (seconds === undefined ? [] : [seconds]));
  // A number for some of them would hide the one that was never over.
  if (seconds.length < faults.length || seconds.length === 0) return undefined;
  return { p50: percentile(seconds, 50), p95: percentile(seconds, 95), max: percentile(seconds, 100) };
}

/** The least of the samples that so many percent of them do not exceed. @throws Error without a sample */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const found = sorted[Math.max(Math.ceil((percent / 100) * sorted.length), 1) - 1];
  if (found === undefined) throw new Error("nothing was measured");
  return found;
}

/** The design's goals, those about kinds that were tried. */
export function compareWithGoals(
  faults: readonly FaultRecord[],
  totals: { readonly lost: number; readonly twoPrimaries: number },
): GoalResult[] {
  const problems = faults.flatMap(({ problems }) => problems);
  const groups = [
    groupGoal(faults, "process or pod", { p95: 2, max: 4 }),
    groupGoal(faults, "node", { p95: 8, max: 12 }),
    groupGoal(faults, "switchover", { max: 1 }),
    noErrors(faults),
  ];
  return [
    ...groups.filter((goal) => goal !== undefined),
    zero("acknowledged writes that are missing", totals.lost),
    zero("writes acknowledged by a second primary", totals.twoPrimaries),
    zero("faults that had another effect than they should", problems.length),
  ];
}

function groupGoal(
  faults: readonly FaultRecord[],
  group: string,
  limits: { readonly p95?: number; readonly max: number },
): GoalResult | undefined {
  const own = faults.filter(({ kind }) => factsOf(kind).group === group);
  if (own.length === 0) return undefined;
  const name = group === "switchover" ? "switchover: stall" : `${group} faults`;
  const parts = Object.keys(limits) as ("p95" | "max")[];
  const told = (values: Partial<Record<"p95" | "max", number>>, sign: string) =>
    parts.map((part) => `${part}${sign}${values[part]} s`).join(", ");
  const reached = times(own);
  return {
    goal: `${name}: ${told(limits, " <= ")}`,
    reached: reached === undefined ? "one was never over" : told(reached, " "),
    met: reached !== undefined && parts.every((part) => reached[part] <= (limits[part] ?? 0)),
  };
}

function noErrors(faults: readonly FaultRecord[]): GoalResult | undefined {
  const own = faults.filter(({ kind }) => kind === "switchover");
  if (own.length === 0) return undefined;
  return zero(
    "switchover: client errors",
    own.reduce((total, { clientErrors }) => total + clientErrors, 0),
  );
}

function zero(what: string, count: number): GoalResult {
  return { goal: `${what}: 0`, reached: String(count), met: count === 0 };
}

const kindColumns = ["fault", "time", "count", "p50", "p95", "max", "lost", "two primaries", "client errors"];
const goalColumns = ["goal", "reached", ""];

/** For a terminal. */
export function toTables(report: FailoverReport): string {
  return [
    `${report.name}: ${machineText(report)}`,
    settingsText(report),
    "",
    ...textTable(kindRows(report)),
    "",
    ...textTable(goalRows(report)),
    "",
    ...remarks(report),
  ].join("\n");
}

/** For docs/benchmarks.md. */
export function toMarkdown(report: FailoverReport): string {
  return [
    measuredText(report),
    settingsText(report),
    "",
    ...markdownTable(kindRows(report)),
    "",
    ...markdownTable(goalRows(report)),
    "",
    ...remarks(report).map((remark) => `- ${remark}`),
  ].join("\n");
}

/** The head first. */
function kindRows({ kinds, notDone }: FailoverReport): string[][] {
  const time = (value: number | undefined) => (value === undefined ? "never" : `${value.toFixed(2)} s`);
  return [
    kindColumns,
    ...kinds.map((one) => [
      `${one.kind}: ${one.does}`,
      one.measure,
      String(one.count),
      time(one.p50),
      time(one.p95),
      time(one.max),
      String(one.lost),
      String(one.twoPrimaries),
      String(one.clientErrors),
    ]),
    ...Object.keys(notDone).map((kind) => [kind, "", "not done", "", "", "", "", "", ""]),
  ];
}

/** The head first. */
function goalRows({ goals }: FailoverReport): string[][] {
  return [goalColumns, ...goals.map(({ goal, reached, met }) => [goal, reached, met ? "met" : "missed"])];
}

/** What does not fit into the tables. */
function remarks(report: FailoverReport): string[] {
  return [
    ...report.kinds.flatMap(({ kind, problems }) => problems.map((problem) => `${kind}: ${problem}.`)),
    ...report.faults.flatMap(({ number, kind, evidence }) =>
      evidence.map((line) => `Fault ${number}, ${kind}: ${line}.`),
    ),
    ...Object.entries(report.notDone).map(([kind, why]) => `Not done: ${kind}. Why: ${why}.`),
    ...(report.stopped === undefined ? [] : [`Ended early: ${report.stopped}.`]),
  ];
}
