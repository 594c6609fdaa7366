import { describe, expect, it } from "vitest";
import type { Log } from "../../ops/log";
import { since } from "../../ops/preview/affectedCommand";
import { affectedStacks, deployedEnvironments } from "../../ops/preview/affectedStacks";

describe("a change concerns", () => {
  it.each([
    ["an environment whose config it changes", ["Pulumi.staging.yaml"], ["staging"]],
    ["several of them, in the order of deployment", ["Pulumi.prod.yaml", "Pulumi.dev.yaml"], ["dev", "prod"]],
    ["all by the program", ["infra/database/memory.ts"], ["dev", "staging", "prod"]],
    ["all by a policy", ["infra/policy/index.ts"], ["dev", "staging", "prod"]],
    ["all by a migration", ["sql/migrations/0010-a.sql"], ["dev", "staging", "prod"]],
    ["all by what drives the engine", ["ops/engine/stack.ts"], ["dev", "staging", "prod"]],
    ["all by another version of a package", ["package-lock.json"], ["dev", "staging", "prod"]],
    ["all by another engine", ["toolchain/pulumi/go.mod"], ["dev", "staging", "prod"]],
    ["none by stacks that nobody deploys", ["Pulumi.local.yaml", "Pulumi.cluster.yaml"], []],
    ["none by words and tests", ["docs/deploy.md", "README.md", "test/unit/a.test.ts"], []],
    ["none by tools for tests", ["toolchain/kubernetes/go.mod"], []],
    ["none by names that only look alike", ["docs/infra/a.md", "infra.md", "Pulumi.prod.yaml.bak"], []],
    ["none where nothing changed", [], []],
  ])("%s", (_what, changed, stacks) => {
    expect(affectedStacks(changed)).toEqual(stacks);
  });

  it("those on Azure only", () => {
    expect(deployedEnvironments).toEqual(["dev", "staging", "prod"]);
  });
});

describe("the commits since a base", () => {
  const warnings: string[] = [];
  const log: Log = { info: () => undefined, warn: (line) => warnings.push(line) };
  const changed = async () => ["Pulumi.dev.yaml"];

  it("concern what their files do", async () => {
    expect(await since("main", log, changed)).toEqual(["dev"]);
  });

  it("concern all environments where no base is known, with a warning where one should have been", async () => {
    expect(await since("", log, changed)).toEqual(deployedEnvironments);
    expect(warnings).toEqual([]);
    const unknown = async () => Promise.reject(new Error("bad revision"));
    expect(await since("0000", log, unknown)).toEqual(deployedEnvironments);
    expect(warnings).toEqual([
      expect.stringContaining("since 0000, so all environments are listed: bad revision"),
    ]);
  });
});
