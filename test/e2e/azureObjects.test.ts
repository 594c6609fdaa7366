// What goes into AKS is what an API server takes: every Kubernetes object of each environment in Azure, tried on the real
// one without being made.
import { beforeAll, describe, expect, it } from "vitest";
import { mask } from "../../ops/engine/events";
import { createLog } from "../../ops/log";
import { ensureCluster } from "../cluster";
import { ensureTools } from "../cluster/tools";
import type { PlannedResource } from "../support/goldenStack";
import { planned } from "../support/previewed";
import { type Kubectl, kubectlFor } from "./support/kubectl";

const namespace = "azure-objects";
let kubectl: Kubectl;

beforeAll(async () => {
  const log = createLog({ quiet: false });
  const { plan } = await ensureCluster(log);
  kubectl = kubectlFor(plan, await ensureTools(log));
  await kubectl(["apply", "-f", "-"], { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  return () => kubectl(["delete", "namespace", namespace, "--wait=false"]);
});

async function objectsOf(name: string): Promise<PlannedResource[]> {
  // Known when there is a cluster only; the policies have it in them.
  const { resources, result } = await planned(name, { MS5_KUBERNETES_API_SERVER: "10.0.0.1:443" });
  expect(result.result).toBe("succeeded");
  return resources.filter(({ type }) => type.startsWith("kubernetes:"));
}

/** In a namespace that is there: those of the stack are not. */
function manifest({ inputs }: PlannedResource): Record<string, unknown> {
  const object = mask(inputs) as { metadata: { namespace?: string } } & Record<string, unknown>;
  const inside = object.metadata.namespace === undefined ? {} : { namespace };
  // A secret as a whole is masked as a whole.
  const opened = object.stringData === "[secret]" ? { stringData: {} } : {};
  return { ...object, ...opened, metadata: { ...object.metadata, ...inside } };
}

describe.each(["dev", "staging", "prod"])("the API server, asked about %s,", (stack) => {
  it("takes every object, and knows every field of it", async () => {
    const objects = await objectsOf(stack);
    expect(objects.length).toBeGreaterThan(35);
    const items = objects.map(manifest);
    const taken = await kubectl(
      ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", "-o", "name"],
      { apiVersion: "v1", kind: "List", items },
    );
    expect(taken.split("\n")).toHaveLength(objects.length);
  });
});
