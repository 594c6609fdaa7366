import { expect } from "vitest";
import type { Overrides } from "./commandStack";
import { EngineStack } from "./engineStack";
import { type PlannedResource, plannedResource } from "./goldenStack";

/** Every resource that a preview of the stack plans. It has to succeed, with no warning and no violation of a policy. */
export async function previewed(
  name: string,
  config: Overrides | undefined,
  overrides: Overrides = {},
): Promise<PlannedResource[]> {
  const stack = new EngineStack(name, config);
  const resources = new Map<string, PlannedResource>();
  const { result } = await stack.run("preview", overrides, (event) => {
    const resource = plannedResource(event);
    if (resource !== undefined) resources.set(resource.urn, resource);
  });
  stack.remove();
  const unexpected = result.diagnostics.filter(
    ({ severity, message }) => severity !== "info" && !/127\.0\.0\.1:1.*cannot be reached/s.test(message),
  );
  expect(unexpected).toEqual([]);
  expect(result.result).toBe("succeeded");
  return [...resources.values()];
}
