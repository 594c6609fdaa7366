import { expect } from "vitest";
import type { StackResult } from "../../ops/engine/stack";
import type { Overrides } from "./commandStack";
import { EngineStack } from "./engineStack";
import { type PlannedResource, plannedResource } from "./goldenStack";

/** Every resource that a preview of the stack plans, and what came of it. */
export async function planned(
  name: string,
  config: Overrides | undefined,
  overrides: Overrides = {},
): Promise<{ readonly resources: PlannedResource[]; readonly result: StackResult }> {
  const stack = new EngineStack(name, config);
  const resources = new Map<string, PlannedResource>();
  const { result } = await stack.run("preview", overrides, (event) => {
    const resource = plannedResource(event);
    if (resource !== undefined) resources.set(resource.urn, resource);
  });
  stack.remove();
  return { resources: [...resources.values()], result };
}

/** The same of a preview that has to succeed, with no warning and no violation of a policy. */
export async function previewed(
  name: string,
  config: Overrides | undefined,
  overrides?: Overrides,
): Promise<PlannedResource[]> {
  const { resources, result } = await planned(name, config, overrides);
  const unexpected = result.diagnostics.filter(
    ({ severity, message }) => severity !== "info" && !/127\.0\.0\.1:1.*cannot be reached/s.test(message),
  );
  expect(unexpected).toEqual([]);
  expect(result.result).toBe("succeeded");
  return resources;
}
