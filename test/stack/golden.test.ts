// What each environment consists of, in one readable file for reviewers: test/stack/golden/*.txt. The real engine's own
// preview, against nothing: `npx vitest run test/stack/golden.test.ts -u` writes them again.
import { describe, expect, it } from "vitest";
import type { ResourceModel, RunModel } from "../../ops/engine/events";
import { changeTree } from "../../ops/engine/render";
import { EngineStack } from "../support/engineStack";

/** Resources are made side by side, so they arrive in another order each time. */
function sorted(model: RunModel): RunModel {
  const key = ({ type, name }: ResourceModel) => `${type} ${name}`;
  const byName = [...model.resources.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return { ...model, resources: new Map(byName.map((resource) => [resource.urn, resource])) };
}

async function preview(name: string): Promise<string> {
  const stack = new EngineStack(name);
  const { result, model } = await stack.run("preview");
  stack.remove();
  expect(result).toMatchObject({ result: "succeeded", diagnostics: [] });
  return [
    ...changeTree(sorted(model), { color: false }),
    "",
    ...Object.entries(result.outputs).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
    "",
  ].join("\n");
}

describe("stack", () => {
  it.each(["local", "cluster", "dev", "staging", "prod"])("%s reads as reviewed", async (stack) => {
    await expect(await preview(stack)).toMatchFileSnapshot(`golden/${stack}.txt`);
  });
});
