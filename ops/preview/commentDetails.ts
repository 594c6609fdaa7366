// The parts of the comment for those who look closer: what is new, migrations, policies, cost, what the engine said, and
// the full diff.
import type { Diagnostic, RunModel } from "../engine/events";
import { changeTree } from "../engine/render";
import { costChange, difference, money } from "./cost";
import { isFirstDeployment } from "./effects";
import { atMost, block, code, folded, html, table } from "./markdown";
import { policyChanges } from "./policyChanges";
import { byType, cut, longestList, named, rest, things, value } from "./words";

/** Characters of one message of the engine's. */
const longestMessage = 1_000;

export function newByKind(model: RunModel): string | undefined {
  const created = [...model.resources.values()].filter(({ op }) => op === "create");
  if (created.length === 0) return undefined;
  const kinds = [...byType(created)].sort(([, a], [, b]) => b.length - a.length);
  const rows = kinds.map(([type, resources]) => [String(resources.length), code(type), named(resources)]);
  return folded(`${things(created.length, "new resource")}, by kind`, table(["", "kind", "names"], rows));
}

/** Files that the last deployment did not know. */
export function pendingMigrations(model: RunModel): string[] {
  return [...model.resources.values()]
    .filter(({ type, op }) => type === "ms5:schema:Migrations" && op !== "delete")
    .flatMap(({ diff }) => diff)
    .filter(({ before, after }) => before === undefined && after !== undefined)
    .flatMap(({ property }) => /^files\.(.+)$/.exec(property)?.[1] ?? []);
}

/**
 * @param sql by file name
 * @param room in characters, for all files together
 */
export function migrations(
  model: RunModel,
  sql: Readonly<Record<string, string>>,
  room: number,
): string | undefined {
  const pending = pendingMigrations(model);
  if (pending.length === 0) return undefined;
  let left = room;
  const files = atMost(longestList, pending, (file) => {
    const text = block("sql", sql[file] ?? "-- its file is not here");
    const fits = text.length <= left;
    if (fits) left -= text.length;
    const elsewhere = `Too long to show here: see ${code(`sql/migrations/${file}`)}`;
    return folded(`<code>${html(file)}</code>`, fits ? text : elsewhere);
  });
  return [`**${things(pending.length, "pending migration")}**`, ...files].join("\n\n");
}

export function policies(model: RunModel): string | undefined {
  const changes = isFirstDeployment(model) ? [] : policyChanges(model);
  if (changes.length === 0) return undefined;
  const cell = (of: unknown) => (of === undefined ? "none" : code(value(of)));
  const rows = changes
    .slice(0, longestList)
    .map(({ of, setting, before, after }) => [code(of), setting, cell(before), cell(after)]);
  return `**Policies**\n\n${table(["of", "setting", "before", "after"], rows)}${rest(changes)}`;
}

export function cost({ outputsBefore, outputs }: RunModel): string | undefined {
  const change = costChange(outputsBefore, outputs);
  if (change === undefined) return undefined;
  const { before, after, items } = change;
  const unit = `${code(change.currency)} a month, estimated`;
  if (before === undefined) return `**Cost**: ${money(after)} ${unit}`;
  const rows = items
    .slice(0, longestList)
    .map((item) => [
      code(item.name),
      money(item.before),
      money(item.after),
      difference(item.before, item.after),
    ]);
  const total = `**Cost**: ${money(before)} → ${money(after)} ${unit} (${difference(before, after)})`;
  if (rows.length === 0) return total;
  return `${total}\n\n${table(["of", "before", "after", "difference"], rows)}${rest(items)}`;
}

export function diagnostics(all: readonly Diagnostic[]): string | undefined {
  const section = (title: string, severity: Diagnostic["severity"], ofPolicies: boolean) => {
    const some = all.filter((one) => one.severity === severity && (one.policy !== undefined) === ofPolicies);
    const lines = atMost(10, some, ({ resource, message }) => {
      const said = cut(message, longestMessage);
      return resource === undefined ? said : `${resource}: ${said}`;
    });
    return lines.length === 0 ? [] : [`**${title}**\n\n${block("", lines.join("\n\n"))}`];
  };
  const sections = [
    ...section("Policies that are violated", "error", true),
    ...section("Errors", "error", false),
    ...section("Policies that advise otherwise", "warning", true),
    ...section("Warnings", "warning", false),
  ];
  return sections.length === 0 ? undefined : sections.join("\n\n");
}

/** By the first character of a line GitHub gives it a colour. */
const signs: Readonly<Record<string, string>> = { "+": "+", "-": "-", "~": "!", "±": "!" };

function diffLine(line: string): string {
  const [, indent = "", symbol = "", rest = ""] = /^(\s*)([+~±-]) (.*)$/s.exec(line) ?? [];
  const sign = signs[symbol];
  return sign === undefined ? `  ${line}` : `${sign} ${indent}${rest}`;
}

/**
 * As many lines as there is room for, and how many more there are; undefined without any change.
 *
 * @param room in characters
 */
export function fullDiff(model: RunModel, room: number): string | undefined {
  const lines = changeTree(model, { color: false }).map(diffLine);
  if (lines.length === 0) return undefined;
  const show = (count: number) => {
    const missing = lines.length - count;
    const more =
      missing === 0 ? "" : `\n\n… and ${things(missing, "more line")}: \`npm run preview\` shows all`;
    return folded("Full diff", `${block("diff", lines.slice(0, count).join("\n"))}${more}`);
  };
  // Tried out rather than counted: how long the fence is depends on what is in it.
  let [fits, tooMany] = [0, lines.length + 1];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (show(middle).length <= room) fits = middle;
    else tooMany = middle;
  }
  return show(fits);
}
