// The comment under a pull request, purely: what an `up` of a stack would do, for a reviewer who decides whether to merge.
import type { ResourceModel, RunModel } from "../engine/events";
import type { StackResult } from "../engine/stack";
import { clients, losses, replacedOrRestarted } from "./commentClients";
import { cost, diagnostics, fullDiff, migrations, newByKind, policies } from "./commentDetails";
import { clientsWill, isFirstDeployment, type Prediction, predict } from "./effects";
import { code, html } from "./markdown";

export interface CommentInput {
  readonly result: StackResult;
  readonly model: RunModel;
  /** Texts of migrations by file name: of those that are pending at least. */
  readonly sql: Readonly<Record<string, string>>;
}

/** Characters. GitHub takes 65,536; the workflow adds a line on commit and run. */
export const commentLimit = 65_000;

/** By this a workflow finds the comment to update. */
export function commentMarker(stack: string): string {
  return `<!-- ms5-preview: ${stack} -->`;
}

/** The whole comment, at most {@link commentLimit} characters. */
export function renderComment({ result, model: asReported, sql }: CommentInput): string {
  if (result.result !== "succeeded") return renderFailure(result);
  const model = inOrder(asReported);
  const predictions = predict(model);
  const marker = commentMarker(result.stack);
  const footer = footnote(result);
  const page = new Page(commentLimit - marker.length - footer.length);
  // What matters most takes its room first, wherever it stands.
  const head = page.take(headline(result, model, predictions));
  const lost = page.take(losses(predictions));
  const said = page.take(diagnostics(result.diagnostics));
  const restarts = page.take(replacedOrRestarted(model, predictions));
  const seen = page.take(clients(predictions));
  const changed = page.take(policies(model));
  const costs = page.take(cost(model));
  const pending = page.take(migrations(model, sql, page.room / 2));
  const created = page.take(newByKind(model));
  const diff = page.take(fullDiff(model, page.room));
  return assemble([
    marker,
    head,
    lost,
    restarts,
    seen,
    created,
    pending,
    changed,
    costs,
    said,
    diff,
    page.note,
    footer,
  ]);
}

/** The engine reports in another order each time: the same preview is to give the same comment. */
function inOrder(model: RunModel): RunModel {
  const key = ({ type, name, urn }: ResourceModel) => `${type} ${name} ${urn}`;
  const sorted = [...model.resources.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return { ...model, resources: new Map(sorted.map((resource) => [resource.urn, resource])) };
}

/** How much still fits. */
class Page {
  /** Characters that are left. */
  room: number;
  /** Said where something was left out. */
  note: string | undefined;

  constructor(limit: number) {
    this.room = limit - leftOut.length - 4 * betweenParts;
  }

  /** The part, or nothing when it is too long. */
  take(part: string | undefined): string | undefined {
    if (part === undefined) return undefined;
    if (part.length + betweenParts > this.room) {
      this.note = leftOut;
      return undefined;
    }
    this.room -= part.length + betweenParts;
    return part;
  }
}

const betweenParts = 2;
const leftOut = "Parts that GitHub has no room for are left out: `npm run preview` shows all.";

/** What was refused before the engine began: a wrong config, a backend that can't be reached. */
export function renderRefusal(stack: string, error: { message: string; fix: string }): string {
  return assemble([
    commentMarker(stack),
    `### ${code(stack)}: the preview was refused; what an \`up\` would do is not known`,
    diagnostics([{ severity: "error", message: `${error.message}\n  fix: ${error.fix}` }]),
  ]);
}

function renderFailure(result: StackResult): string {
  const how = result.result === "interrupted" ? "was interrupted" : "failed";
  return assemble([
    commentMarker(result.stack),
    `### ${code(result.stack)}: the preview ${how}; what an \`up\` would do is not known`,
    diagnostics(result.diagnostics),
    footnote(result),
  ]);
}

function assemble(parts: readonly (string | undefined)[]): string {
  return `${parts
    .filter((part) => part !== undefined)
    .map((part) => part.trim())
    .join("\n\n")}\n`;
}

function headline({ stack, resources }: StackResult, model: RunModel, predictions: Prediction[]): string {
  const { created, updated, replaced, deleted } = resources;
  if (created + updated + replaced + deleted === 0) return `### ${code(stack)}: nothing to change`;
  const counts = [
    ...(created > 0 ? [`${created} to create`] : []),
    `${updated} to update`,
    `${replaced} to replace`,
    `${deleted} to delete`,
  ].join(", ");
  const seen = isFirstDeployment(model)
    ? "the first deployment, so there are no clients yet"
    : clientsWill(predictions);
  const lost = predictions.some(({ loses }) => loses !== undefined) ? "; **data is deleted**" : "";
  return `### ${code(stack)}: ${counts}; ${seen}${lost}`;
}

function footnote({ engine }: StackResult): string {
  const standIns = engine.standIns.length === 0 ? "" : `, with stand-ins for ${engine.standIns.join(", ")}`;
  return `<sub>Pulumi ${html(`${engine.pulumi}${standIns}`)}. What the words mean: docs/pull-requests.md</sub>`;
}
