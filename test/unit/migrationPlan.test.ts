import { describe, expect, it } from "vitest";
import { UserError } from "../../infra/errors";
import { actorFrom } from "../../infra/schema/migrations/actor";
import { type Migration, parseMigrations } from "../../infra/schema/migrations/files";
import type { LedgerRow } from "../../infra/schema/migrations/ledger";
import { comparePlan, type MigrationPlan, refuseProblems } from "../../infra/schema/migrations/plan";
import { planAsJson, renderPlan, renderStatus } from "../../infra/schema/migrations/report";

function migrations(...names: string[]): Migration[] {
  return parseMigrations(
    names.flatMap((name) => [
      { name: `${name}.sql`, content: Buffer.from(`SELECT '${name}';`) },
      { name: `${name}.undo.sql`, content: Buffer.from("SELECT 1;") },
    ]),
    "migrations",
  );
}

function applied(...files: Migration[]): LedgerRow[] {
  return files.map(({ number, forward }) => ({
    number,
    file: forward.file,
    sha256: forward.sha256,
    state: "applied",
    since: "2026-03-01T08:00:00.000Z",
    actor: "anna@build-1",
    durationMs: 12,
  }));
}

const files = migrations("0001-a", "0002-b", "0003-c");

/** Message and fix of the only problem. */
function onlyProblem(plan: MigrationPlan): string {
  expect(plan.problems).toHaveLength(1);
  const [problem] = plan.problems;
  return `${problem?.kind}: ${problem?.message}\nfix: ${problem?.fix}`;
}

describe("comparePlan", () => {
  it("has everything pending in a new database, and the rest in one that is behind", () => {
    expect(comparePlan([], files, undefined)).toEqual({ applied: [], pending: files, problems: [] });
    const plan = comparePlan(applied(...files.slice(0, 2)), files, undefined);
    expect(plan.pending.map(({ forward }) => forward.file)).toEqual(["0003-c.sql"]);
    expect(plan.problems).toEqual([]);
  });

  it("names an edited file, when it was applied and both ways out", () => {
    const ledger = applied(...files).map((row) =>
      row.number === 2 ? { ...row, sha256: "0".repeat(64) } : row,
    );
    expect(onlyProblem(comparePlan(ledger, files, undefined))).toMatchInlineSnapshot(`
      "edited: 0002-b.sql was edited after it was applied (applied 2026-03-01T08:00:00.000Z by anna@build-1 with sha256 000000000000…, the file now has cfa123c7f5d6…)
      fix: put 0002-b.sql back as it was (git log -- sql/migrations/0002-b.sql) and make the change in a new file; if it is still in the making and no one else has it: npm run ops -- migrate undo 2, then up"
    `);
  });

  it("names an applied file that is missing", () => {
    expect(
      onlyProblem(comparePlan(applied(...files), migrations("0001-a", "0003-c"), undefined)),
    ).toMatchInlineSnapshot(`
      "missing: 0002-b.sql is applied (2026-03-01T08:00:00.000Z by anna@build-1, sha256 cfa123c7f5d6…) but not in sql/migrations/
      fix: put the file back from version control; perhaps this checkout is older than the database or on another branch"
    `);
  });

  it("tells a renamed file from another one of the same number", () => {
    const [a, b, c] = files;
    if (a === undefined || b === undefined || c === undefined) throw new Error("three files");
    const renamed = { ...b, forward: { ...b.forward, file: "0002-bb.sql" } };
    expect(onlyProblem(comparePlan(applied(...files), [a, renamed, c], undefined))).toMatchInlineSnapshot(`
      "renamed: 0002-b.sql is applied (2026-03-01T08:00:00.000Z by anna@build-1), but number 2 in sql/migrations/ is 0002-bb.sql, with the same content
      fix: rename 0002-bb.sql back to 0002-b.sql"
    `);
    const other = migrations("0001-a", "0002-other", "0003-c");
    expect(onlyProblem(comparePlan(applied(...files), other, undefined))).toMatchInlineSnapshot(`
      "renamed: 0002-b.sql is applied (2026-03-01T08:00:00.000Z by anna@build-1), but number 2 in sql/migrations/ is 0002-other.sql, with other content
      fix: put 0002-b.sql back from version control and give 0002-other.sql a number above the newest"
    `);
  });

  it("refuses a file below the newest applied one", () => {
    const late = migrations("0001-a", "0002-b", "0003-c");
    expect(
      onlyProblem(comparePlan(applied(...files.filter(({ number }) => number !== 2)), late, undefined)),
    ).toMatchInlineSnapshot(`
      "out-of-order: 0002-b.sql is new, but its number is below 0003-c.sql, which is applied already (2026-03-01T08:00:00.000Z by anna@build-1)
      fix: renumber 0002-b.sql above 0003: files run in the same order everywhere"
    `);
  });

  it("asks a person about a file that was cut off, unless someone is still at it", () => {
    const ledger = applied(...files).map((row) =>
      row.number === 3 ? { ...row, state: "applying" as const } : row,
    );
    const plan = comparePlan(ledger, files, undefined);
    expect(plan.applied).toHaveLength(2);
    expect(plan.pending).toEqual([]);
    expect(onlyProblem(plan)).toMatchInlineSnapshot(`
      "unfinished: 0003-c.sql was started at 2026-03-01T08:00:00.000Z by anna@build-1 outside a transaction and did not finish: its work may be done, undone or half done
      fix: look in the database whether what 0003-c.sql makes is there, complete (an index left INVALID is not: drop it), then say so: npm run ops -- migrate resolve 3 applied|not-applied"
    `);

    const undoing = applied(...files).map((row) =>
      row.number === 3 ? { ...row, state: "undoing" as const } : row,
    );
    expect(onlyProblem(comparePlan(undoing, files, undefined))).toContain(
      "the undo of 0003-c.sql was started at",
    );

    const holder = { pid: 71, user: "ms5_migrator", applicationName: "ms5", since: undefined };
    expect(onlyProblem(comparePlan(ledger, files, holder))).toMatchInlineSnapshot(`
      "running: 0003-c.sql is being applied since 2026-03-01T08:00:00.000Z by anna@build-1: server process 71 (user ms5_migrator, application ms5)
      fix: wait until it has finished and run this again"
    `);
  });
});

describe("refuseProblems", () => {
  it("lets no problem pass, and shows each with its own fix", () => {
    refuseProblems([]);
    const one = { kind: "missing", message: "a is missing", fix: "find a" } as const;
    expect(() => refuseProblems([one])).toThrow(
      expect.objectContaining({ message: "a is missing", fix: "find a" }) as UserError,
    );
    const refuse = () => refuseProblems([one, { ...one, message: "b is missing", fix: "find b" }]);
    expect(refuse).toThrow(UserError);
    expect(refuse).toThrow("a is missing\n    → find a\n  b is missing\n    → find b");
  });
});

describe("report", () => {
  const edited = applied(...files.slice(0, 2)).map((row) =>
    row.number === 2 ? { ...row, sha256: "f".repeat(64) } : row,
  );
  const plan = comparePlan(edited, files, undefined);

  it("shows a person what is applied, pending and wrong", () => {
    expect(renderStatus(plan)).toMatchInlineSnapshot(`
      "applied: 2
        0001-a.sql  2026-03-01T08:00:00Z  anna@build-1  12 ms
        0002-b.sql  2026-03-01T08:00:00Z  anna@build-1  12 ms
      pending: 1
        0003-c.sql
      problems: 1
        0002-b.sql was edited after it was applied (applied 2026-03-01T08:00:00.000Z by anna@build-1 with sha256 ffffffffffff…, the file now has cfa123c7f5d6…)
          fix: put 0002-b.sql back as it was (git log -- sql/migrations/0002-b.sql) and make the change in a new file; if it is still in the making and no one else has it: npm run ops -- migrate undo 1, then up"
    `);
    expect(renderPlan(comparePlan([], files.slice(0, 1), undefined))).toBe("pending: 1\n  0001-a.sql");
  });

  it("has the same for programs", () => {
    expect(planAsJson(plan)).toMatchObject({
      applied: [
        {
          number: 1,
          file: "0001-a.sql",
          appliedAt: "2026-03-01T08:00:00.000Z",
          appliedBy: "anna@build-1",
          durationMs: 12,
        },
        { number: 2 },
      ],
      pending: [{ number: 3, file: "0003-c.sql", transaction: true, sha256: files[2]?.forward.sha256 }],
      problems: [{ kind: "edited", file: "0002-b.sql" }],
    });
  });
});

describe("actorFrom", () => {
  it("names the person behind a pipeline, else the user of the machine", () => {
    expect(actorFrom({}, "anna", "laptop")).toEqual({ user: "anna", host: "laptop" });
    expect(actorFrom({ GITHUB_ACTOR: "" }, "anna", "laptop").user).toBe("anna");
    expect(actorFrom({ GITHUB_ACTOR: "ben" }, "runner", "ci-1").user).toBe("ben via GitHub Actions");
    expect(actorFrom({ BUILD_REQUESTEDFOR: "Ben B." }, "vsts", "ci-1").user).toBe(
      "Ben B. via Azure Pipelines",
    );
  });
});
