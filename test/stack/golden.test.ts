// What each environment consists of, in one readable file for reviewers: test/stack/golden/*.txt. The real engine's own
// preview, against nothing: `npx vitest run test/stack/golden.test.ts -u` writes them again.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runWatched } from "../../ops/engine/deploy";
import type { ResourceModel, RunModel } from "../../ops/engine/events";
import { changeTree } from "../../ops/engine/render";
import { projectRoot } from "../../ops/paths";

const never = new AbortController().signal;
let local: string;
const own = Object.entries(process.env).filter(
  ([name]) => name.startsWith("MS5_") && name !== "MS5_CACHE_DIR",
);

beforeAll(() => {
  local = mkdtempSync(join(tmpdir(), "ms5-golden-"));
  for (const [name] of own) delete process.env[name];
});
afterAll(() => {
  rmSync(local, { recursive: true, force: true });
  for (const [name, value] of own) process.env[name] = value;
});

/** Resources are made side by side, so they arrive in another order each time. */
function sorted(model: RunModel): RunModel {
  const key = ({ type, name }: ResourceModel) => `${type} ${name}`;
  const byName = [...model.resources.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return { ...model, resources: new Map(byName.map((resource) => [resource.urn, resource])) };
}

async function preview(stack: string): Promise<string> {
  const { result, model } = await runWatched("preview", stack, {
    json: true,
    interrupts: { gentle: never, hard: never, release: () => undefined },
    place: { root: projectRoot, local },
  });
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
