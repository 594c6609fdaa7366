// docs/pull-requests.md has two parts that code says: a comment as it looks, and the table of effects. `-u` writes them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../ops/paths";
import { renderComment } from "../../ops/preview/comment";
import { type EffectRow, effects } from "../../ops/preview/effectRow";
import { effectTable } from "../../ops/preview/effectTable";
import { table } from "../../ops/preview/markdown";
import { modelOf, resource, resultOf } from "./previewModel";

const file = join(projectRoot, "docs", "pull-requests.md");
const page = readFileSync(file, "utf8");

/** The page with this text between its markers. */
function withPart(of: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [before, rest] = of.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${file} lacks ${begin} or ${end}`);
  return `${before}${begin}\n${text.trim()}\n${end}${after}`;
}

function sample(): string {
  const cost = (total: number, nodes: number) => ({
    monthlyCost: { total, currency: "EUR", items: [{ name: "database nodes", monthly: nodes }] },
  });
  const model = modelOf(
    [
      resource("update", "ms5:database:Rollout", "blue", [
        { property: "settingsThatRestart.shared_buffers", before: "8GB", after: "12GB" },
        { property: "settingsThatReload.work_mem", before: "16MB", after: "32MB" },
      ]),
      resource("update", "ms5:schema:RetentionPolicy", "metric_hist-retention", [
        { property: "dropAfter", before: "90 days", after: "60 days" },
      ]),
      resource("update", "ms5:schema:Migrations", "migrations", [
        { property: "files.0010-maintenance.sql", after: "cd".repeat(32) },
      ]),
    ],
    { outputsBefore: cost(1204.5, 804.5), outputs: cost(1310, 910) },
  );
  const sql = {
    "0010-maintenance.sql": "ALTER TABLE factory_telemetry.machines ADD COLUMN serviced date;\n",
  };
  return renderComment({ result: resultOf(model), model, sql });
}

function effectReference(): string {
  const rows = effectTable.map((row) => [
    kind(row),
    change(row),
    row.seconds === undefined ? row.effect : `${row.effect}, ≤ ${row.seconds} s`,
    `${row.what}: ${row.why}`,
    (row.loses ?? "").replace("{after}", "the new limit"),
  ]);
  return table(["kind", "change", "clients", "what happens, and why", "lost for good"], rows);
}

function kind({ type, names }: EffectRow): string {
  return [type, ...(names ?? [])].map((text) => `\`${text}\``).join(" ");
}

function change({ ops, property, when }: EffectRow): string {
  const of = property === undefined ? "" : ` of \`${property}\``;
  return `${ops.join(", ")}${of}${when === undefined ? "" : ` ${when.says}`}`;
}

it("docs/pull-requests.md shows a comment as it is, and the table of effects as it is", async () => {
  const now = withPart(withPart(page, "sample", sample()), "effects", effectReference());
  await expect(now).toMatchFileSnapshot(file);
});

it("docs/pull-requests.md says what each word for clients means", () => {
  for (const effect of [...effects, "unknown"])
    expect(page).toMatch(new RegExp(`^\\| \\*\\*${effect}\\*\\* \\|`, "m"));
});
