/** How `ops migrate` shows a plan: to a person, and as JSON. Pure. */
import type { MigrationPlan } from "./plan";

/** What is applied, when and by whom, what is pending, and what is wrong. */
export function renderStatus(plan: MigrationPlan): string {
  const width = Math.max(0, ...plan.applied.map((row) => row.file.length));
  const applied = plan.applied.map(
    (row) =>
      `  ${row.file.padEnd(width)}  ${row.since.replace(/\.\d+Z$/, "Z")}  ${row.actor}${duration(row.durationMs)}`,
  );
  return [
    `applied: ${plan.applied.length}`,
    ...applied,
    ...renderPending(plan),
    ...renderProblems(plan),
  ].join("\n");
}

/** What the next `up` would run, or why it would not. */
export function renderPlan(plan: MigrationPlan): string {
  return [...renderPending(plan), ...renderProblems(plan)].join("\n");
}

/** Field names are part of the command line's contract. */
export function planAsJson(plan: MigrationPlan): object {
  return {
    applied: plan.applied.map(({ number, file, sha256, since, actor, durationMs }) => ({
      number,
      file,
      sha256,
      appliedAt: since,
      appliedBy: actor,
      durationMs: durationMs ?? null,
    })),
    pending: plan.pending.map(({ number, forward }) => ({
      number,
      file: forward.file,
      sha256: forward.sha256,
      transaction: forward.transaction,
    })),
    problems: plan.problems.map(({ kind, file, message, fix }) => ({
      kind,
      file: file ?? null,
      message,
      fix,
    })),
  };
}

function renderPending({ pending }: MigrationPlan): string[] {
  const lines = pending.map(
    ({ forward }) => `  ${forward.file}${forward.transaction ? "" : "  (outside a transaction)"}`,
  );
  return [`pending: ${pending.length}`, ...lines];
}

function renderProblems({ problems }: MigrationPlan): string[] {
  if (problems.length === 0) return [];
  return [
    `problems: ${problems.length}`,
    ...problems.map(({ message, fix }) => `  ${message}\n    fix: ${fix}`),
  ];
}

function duration(milliseconds: number | undefined): string {
  return milliseconds === undefined ? "" : `  ${milliseconds} ms`;
}
