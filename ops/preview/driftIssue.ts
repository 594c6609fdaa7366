// The issue that a scheduled look at a stack opens when something was changed by hand, purely.
import type { RunModel } from "../engine/events";
import type { StackResult } from "../engine/stack";
import { commentLimit } from "./comment";
import { diagnostics, fullDiff } from "./commentDetails";
import { code } from "./markdown";

/** By this a workflow finds the issue to update. */
export function driftMarker(stack: string): string {
  return `<!-- ms5-drift: ${stack} -->`;
}

/** The text; empty when what is there is what was recorded. */
export function renderDrift(result: StackResult, model: RunModel): string {
  const { updated, deleted, replaced } = result.resources;
  const count = updated + deleted + replaced;
  if (result.result === "succeeded" && count === 0) return "";
  const stack = code(result.stack);
  const head =
    result.result === "succeeded"
      ? `${count} of the resources of ${stack} are not as the last \`up\` left them: each as recorded → as it is.`
      : `Looking at ${stack} failed: whether it is as the last \`up\` left it is not known.`;
  const advice =
    "To put it back: `npm run refresh -- STACK`, then `npm run up -- STACK`. To keep it: put it into the stack's config " +
    "(docs/drift.md). This issue closes itself when nothing differs any more.";
  const parts = [driftMarker(result.stack), head, advice.replaceAll("STACK", result.stack)];
  const said = diagnostics(result.diagnostics);
  const room = commentLimit - [...parts, said ?? ""].join("\n\n").length - 10;
  return `${[...parts, said, fullDiff(model, room)].filter((part) => part !== undefined).join("\n\n")}\n`;
}
