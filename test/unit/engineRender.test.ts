import { describe, expect, it } from "vitest";
import { type Change, emptyRun, type ResourceModel, type RunModel } from "../../ops/engine/events";
import { changeLine, progressLine, progressTree, report, summaryLine } from "../../ops/engine/render";
import type { StackResult } from "../../ops/engine/stack";

const plain = { color: false };
const counts = { created: 3, updated: 1, replaced: 0, deleted: 0, unchanged: 24 };

function resource(name: string, op: Change, more: Partial<ResourceModel> = {}): ResourceModel {
  return {
    urn: name,
    type: "ms5:schema:Hypertable",
    name,
    parent: undefined,
    op,
    status: "done",
    diff: [],
    ...more,
  };
}

function model(...resources: ResourceModel[]): RunModel {
  return { ...emptyRun("up"), counts, resources: new Map(resources.map((one) => [one.urn, one])) };
}

const result: StackResult = {
  operation: "up",
  stack: "local",
  result: "succeeded",
  engine: { pulumi: "3.256.0", standIns: [] },
  resources: counts,
  changes: [],
  outputs: { host: "127.0.0.1", ports: [1, 2] },
  diagnostics: [{ severity: "warning", resource: "metric_hist", message: "no background workers" }],
  seconds: 4.06,
};

describe("the report", () => {
  it("reads as a whole", () => {
    const run = model(
      resource("stack", "same", { type: "pulumi:pulumi:Stack" }),
      resource("schema", "same", { parent: "stack", type: "ms5:schema:Schema" }),
      resource("quiet", "same", { parent: "schema" }),
      resource("metric_hist", "update", {
        parent: "schema",
        diff: [{ property: "chunkInterval", before: "1 day", after: "7 days" }],
      }),
      resource("migrations", "create", {
        parent: "schema",
        type: "ms5:schema:Migrations",
        diff: [{ property: "files.0001-a.sql", after: "ab".repeat(32) }],
      }),
      resource("old", "delete", { parent: "stack" }),
    );
    expect(report(result, run, plain)).toMatchInlineSnapshot(`
      "Up of stack local

        pulumi:pulumi:Stack stack unchanged
          ms5:schema:Schema schema unchanged
          ~ ms5:schema:Hypertable metric_hist updated
              chunkInterval: 1 day → 7 days
          + ms5:schema:Migrations migrations created
              files.0001-a.sql: abababababab…
        - ms5:schema:Hypertable old deleted

      warning metric_hist: no background workers

      created 3, updated 1, replaced 0, deleted 0, unchanged 24 (4.1 s)

      Outputs:
        host: 127.0.0.1
        ports: [1,2]
      "
    `);
  });

  it("says that nothing is lost when a run failed or was interrupted", () => {
    expect(report({ ...result, result: "failed" }, model(), plain)).toContain("running it again carries on");
    expect(report({ ...result, result: "interrupted" }, model(), plain)).toContain(
      "was interrupted; running it again carries on",
    );
  });

  it("colours only when asked to", () => {
    const run = model(resource("a", "create"));
    expect(report(result, run, plain)).not.toContain("\u001b[");
    expect(report(result, run, { color: true })).toContain("\u001b[32m");
  });

  it("counts on one line", () => {
    expect(summaryLine(counts, 4.06)).toBe(
      "created 3, updated 1, replaced 0, deleted 0, unchanged 24 (4.1 s)",
    );
  });
});

describe("progress", () => {
  it.each([
    ["up", "running", "~ ms5:schema:Hypertable a updating …"],
    ["up", "done", "~ ms5:schema:Hypertable a updated"],
    ["up", "failed", "~ ms5:schema:Hypertable a failed"],
    ["preview", "done", "~ ms5:schema:Hypertable a to be updated"],
    ["refresh", "done", "~ ms5:schema:Hypertable a differs from what was recorded"],
  ] as const)("of %s, %s", (operation, status, line) => {
    expect(progressLine(resource("a", "update", { status }), operation, plain)).toBe(line);
  });

  it("says how far a resource is, on one line", () => {
    const running = resource("a", "create", { status: "running", progress: "1 of 3 pods\n  are ready" });
    expect(progressLine(running, "up", plain)).toMatch(/creating … 1 of 3 pods are ready$/);
  });

  it("keeps the last lines when the terminal is too small", () => {
    const many = Array.from({ length: 50 }, (_, index) => resource(`r${index}`, "create"));
    const lines = progressTree(model(...many), 5, plain);
    expect(lines).toHaveLength(5);
    expect(lines[3]).toContain("r49");
    expect(lines[4]).toContain("created 3");
  });
});

describe("a changed property", () => {
  it.each([
    [{ property: "n", before: 1, after: 2 }, "n: 1 → 2"],
    [{ property: "added", after: "x" }, "added: (none) → x"],
    [{ property: "gone", before: ["x"] }, 'gone: ["x"] → (none)'],
    [{ property: "sql", after: "select 1\nfrom t\n" }, "sql: (none) → select 1 … (3 lines)"],
    [
      { property: "sql", before: "select 1\n  from a\n", after: "select 1\n  from b\n" },
      "sql: line 2: from a → from b",
    ],
    [{ property: "sql", before: "a\nb\nc", after: "a\nb" }, "sql: line 3: c → (none)"],
  ])("%j", (change, line) => {
    expect(changeLine(change)).toBe(line);
  });

  it("is cut when it is long", () => {
    expect(changeLine({ property: "p", after: "x".repeat(500) }).length).toBeLessThan(100);
  });
});
