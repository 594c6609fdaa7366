// What each environment consists of, in one readable file for reviewers: test/stack/golden/*.txt. The real engine's own
// preview, against nothing: `npx vitest run test/stack/golden.test.ts -u` writes them again.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ResourceModel, RunModel } from "../../ops/engine/events";
import { changeTree } from "../../ops/engine/render";
import type { Overrides } from "../support/commandStack";
import { EngineStack } from "../support/engineStack";

/** Resources are made side by side, so they arrive in another order each time. */
function sorted(model: RunModel): RunModel {
  const key = ({ type, name }: ResourceModel) => `${type} ${name}`;
  const byName = [...model.resources.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return { ...model, resources: new Map(byName.map((resource) => [resource.urn, resource])) };
}

/** A kubeconfig of a cluster that is not there: a preview says what the program says, and that this is all. */
function nowhere(): string {
  const file = join(mkdtempSync(join(tmpdir(), "ms5-golden-")), "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "nowhere",
    contexts: [{ name: "nowhere", context: { cluster: "nowhere", user: "nobody" } }],
    clusters: [{ name: "nowhere", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "nobody", user: {} }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const config: Readonly<Record<string, Overrides>> = {
  cluster: {
    MS5_KUBERNETES_KUBECONFIG: nowhere(),
    MS5_KUBERNETES_CONTEXT: "nowhere",
    // Otherwise asked of the cluster.
    MS5_KUBERNETES_API_SERVER: "10.0.0.1:6443",
  },
};

async function preview(name: string): Promise<string> {
  const stack = new EngineStack(name, config[name]);
  const { result, model } = await stack.run("preview");
  stack.remove();
  const unexpected = result.diagnostics.filter(
    ({ message }) => !/127\.0\.0\.1:1.*cannot be reached/s.test(message),
  );
  expect(unexpected).toEqual([]);
  expect(result.result).toBe("succeeded");
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
