// Small parts of the comment, where a whole comment would show too much.
import { describe, expect, it } from "vitest";
import { commentLimit } from "../../ops/preview/comment";
import { costChange, difference, money } from "../../ops/preview/cost";
import { renderDrift } from "../../ops/preview/driftIssue";
import { block, code, folded, html, table } from "../../ops/preview/markdown";
import { policyChanges } from "../../ops/preview/policyChanges";
import { modelOf, resource, resultOf, stackResource } from "./previewModel";

describe("Markdown", () => {
  it.each([
    ["plain", "`plain`"],
    ["a`b", "``a`b``"],
    ["`edge", "`` `edge ``"],
    ["a|b", "`a\\|b`"],
    ["two\nlines\t ", "`two lines`"],
    ["<b>&amp;", "`<b>&amp;`"],
    ["  ", "(empty)"],
  ])("code of %j", (text, expected) => {
    expect(code(text)).toBe(expected);
  });

  it("fences what holds fences with longer ones", () => {
    expect(block("sql", "a\n```\nb\n")).toBe("````sql\na\n```\nb\n````");
  });

  it("escapes HTML where it is HTML", () => {
    expect(folded(html("<a> & b"), "body")).toBe(
      "<details><summary>&lt;a&gt; &amp; b</summary>\n\nbody\n\n</details>",
    );
  });

  it("makes tables that GitHub takes", () => {
    expect(table(["a", "b"], [["1", "2"]])).toBe("| a | b |\n|---|---|\n| 1 | 2 |");
  });
});

describe("cost", () => {
  const cost = (total: number, items: Record<string, number>, currency = "EUR") => ({
    monthlyCost: {
      total,
      currency,
      items: Object.entries(items).map(([name, monthly]) => ({ name, monthly })),
    },
  });

  it("is told by item, the largest difference first, with what is new and gone", () => {
    expect(
      costChange(cost(30, { disks: 10, nodes: 15, old: 5 }), cost(48, { disks: 12, nodes: 15, logs: 21 })),
    ).toEqual({
      currency: "EUR",
      before: 30,
      after: 48,
      items: [
        { name: "logs", before: 0, after: 21 },
        { name: "old", before: 5, after: 0 },
        { name: "disks", before: 10, after: 12 },
      ],
    });
  });

  it("is not told where it is the same, unknown, or no cost at all", () => {
    expect(costChange(cost(1, { a: 1 }), cost(1, { a: 1 }))).toBeUndefined();
    expect(costChange(cost(1, {}), undefined)).toBeUndefined();
    expect(costChange(undefined, { monthlyCost: "[known after up]" })).toBeUndefined();
    expect(
      costChange(undefined, { monthlyCost: { total: 1, currency: "EUR", items: [null] } }),
    ).toBeUndefined();
  });

  it("is not compared with other money", () => {
    expect(costChange(cost(1, {}, "USD"), cost(2, {}))).toMatchObject({ before: undefined, after: 2 });
  });

  it("reads as money does", () => {
    expect(money(1310)).toBe("1,310.00");
    expect(difference(10, 12.5)).toBe("+2.50");
    expect(difference(12.5, 10)).toBe("−2.50");
  });
});

describe("policies", () => {
  it("that are new or replaced are told with what they will be", () => {
    const model = modelOf([
      resource("create", "ms5:schema:RetentionPolicy", "oee-retention", [
        { property: "relation", after: "factory_telemetry.oee" },
        { property: "dropAfter", after: "1 year" },
      ]),
      resource("update", "ms5:schema:ContinuousAggregate", "metric_hourly_aggregate", [
        { property: "realtime", before: true, after: false },
        { property: "engineVersion", before: "1", after: "2" },
      ]),
    ]);
    expect(policyChanges(model)).toEqual([
      { of: "oee", setting: "retention: delete after", before: undefined, after: "1 year" },
      { of: "metric_hourly_aggregate", setting: "real-time", before: true, after: false },
    ]);
  });

  it("of a new table are told, its own settings are not", () => {
    const model = modelOf([
      resource("create", "ms5:schema:Hypertable", "maintenance", [
        { property: "chunkInterval", after: "1 day" },
      ]),
      resource("create", "ms5:schema:ColumnstorePolicy", "maintenance-columnstore", [
        { property: "after", after: "7 days" },
      ]),
    ]);
    expect(policyChanges(model).map(({ of, setting }) => `${of} ${setting}`)).toEqual([
      "maintenance columnstore: after",
    ]);
  });
});

describe("the issue on drift", () => {
  const drifted = modelOf(
    [
      resource("update", "ms5:schema:RetentionPolicy", "metric_hist-retention", [
        { property: "schedule", before: "1 day", after: "paused" },
      ]),
      resource("delete", "ms5:schema:ColumnstorePolicy", "metric_hist-columnstore"),
    ],
    { operation: "refresh" },
  );

  it("says what differs, and what to do about it", () => {
    expect(renderDrift(resultOf(drifted, { operation: "refresh" }), drifted)).toMatchInlineSnapshot(`
      "<!-- ms5-drift: prod -->

      2 of the resources of \`prod\` are not as the last \`up\` left them: each as recorded → as it is.

      To put it back: \`npm run refresh -- prod\`, then \`npm run up -- prod\`. To keep it: put it into the stack's config (docs/drift.md). This issue closes itself when nothing differs any more.

      <details><summary>Full diff</summary>

      \`\`\`diff
          pulumi:pulumi:Stack ms5-prod as recorded
      !   ms5:schema:RetentionPolicy metric_hist-retention differs from what was recorded
              schedule: 1 day → paused
      -   ms5:schema:ColumnstorePolicy metric_hist-columnstore is gone
      \`\`\`

      </details>
      "
    `);
  });

  it("is empty where nothing differs", () => {
    const model = modelOf([stackResource("same")]);
    expect(renderDrift(resultOf(model), model)).toBe("");
  });

  it("says so when it could not be found out", () => {
    const model = modelOf([], { diagnostics: [{ severity: "error", message: "no route to host" }] });
    const text = renderDrift(resultOf(model, { result: "failed" }), model);
    expect(text).toContain("Looking at `prod` failed: whether it is as the last `up` left it is not known.");
    expect(text).toContain("no route to host");
  });

  it("is never longer than GitHub takes", () => {
    const many = modelOf(
      Array.from({ length: 5_000 }, (_, index) => resource("delete", "a:b:C", `resource-${index}`)),
    );
    expect(renderDrift(resultOf(many), many).length).toBeLessThanOrEqual(commentLimit);
  });
});
