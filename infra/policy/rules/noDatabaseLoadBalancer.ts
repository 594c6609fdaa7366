// Clients are pods (infra/kubernetes/flows.ts): no way leads from outside of the cluster to the database or its pooler.
import { inOurNamespaces, kubernetesKind } from "../kubernetes";
import { broken, type CheckedResource, demand, type Finding, type ResourceRule, undecided } from "../rule";
import { at, isList, unknown } from "../values";

const doors: ReadonlySet<string> = new Set([
  "networking.k8s.io:Ingress",
  ...["Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"].map(
    (kind) => `gateway.networking.k8s.io:${kind}`,
  ),
]);

export const noDatabaseLoadBalancer: ResourceRule = {
  name: "no-database-load-balancer",
  description: "Nothing in the namespaces ms5-* can be reached from outside of the cluster",
  check(resource) {
    const kind = kubernetesKind(resource.type) ?? "";
    const findings = kind === "core:Service" ? service(resource) : doors.has(kind) ? door(kind) : [];
    const ours = inOurNamespaces(resource);
    if (findings.length === 0 || ours === false) return [];
    return ours === unknown ? [undecided("metadata.namespace")] : findings;
  },
};

function service({ values }: CheckedResource): Finding[] {
  const { spec } = values;
  const addresses = at(spec, "externalIPs");
  return [
    ...demand(
      "spec.type",
      at(spec, "type"),
      (type) => type === undefined || type === "ClusterIP" || type === "ExternalName",
      "it would open the database to what is outside of the cluster; make it a ClusterIP, and let clients be pods (docs/network.md)",
    ),
    ...demand(
      "spec.externalIPs",
      addresses,
      (list) => list === undefined || (isList(list) && list.length === 0),
      "remove them: they open the database to what is outside of the cluster",
    ),
  ];
}

function door(kind: string): Finding[] {
  return [
    broken(
      `${kind.split(":")[1]} opens the database to what is outside of the cluster: remove it, and let clients be pods (docs/network.md)`,
    ),
  ];
}
