// The Pod Security Standard `restricted`, and a root file system that cannot be written. Namespaces enforce the standard when
// a pod starts, which is after the deployment; here it is said in the preview.
import { namespaceNames } from "../../kubernetes/namespaceNames";
import { type Containers, containersOf, type Pod, podOf } from "../kubernetes";
import { broken, demand, type Finding, type ResourceRule, undecided } from "../rule";
import { at, isList, unknown, type Value, type Values } from "../values";

export const restrictedPods: ResourceRule = {
  name: "restricted-pods",
  description: "Pods run without root, privileges, capabilities, or anything of their node",
  check(resource) {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    const containers = containersOf(pod);
    return [
      ...containers.unknown.map(undecided),
      ...fromNode(pod, at(resource.values, "metadata", "namespace") === namespaceNames.nodes),
      ...containers.known.flatMap((container) => confined(container, pod)),
    ];
  },
};

/** What a pod may read of its node, where that is what it is for: what the kernel says of itself. */
const readable: readonly Value[] = ["/proc", "/sys"];

function fromNode({ path, spec }: Pod, looksAtNodes: boolean): Finding[] {
  const shared = ["hostNetwork", "hostPID", "hostIPC"].flatMap((property) =>
    demand(
      `${path}.${property}`,
      at(spec, property),
      (value) => value === undefined || value === false,
      "remove it: the pod would share it with its node",
    ),
  );
  return spec === unknown
    ? []
    : [...shared, ...volumes(`${path}.volumes`, at(spec, "volumes"), looksAtNodes)];
}

function volumes(path: string, list: Value, looksAtNodes: boolean): Finding[] {
  if (list === unknown) return [undecided(path)];
  if (!isList(list)) return [];
  return list.flatMap((volume, index) =>
    demand(
      `${path}[${index}].hostPath`,
      at(volume, "hostPath"),
      (value) => value === undefined || (looksAtNodes && readable.includes(at(value, "path"))),
      "take an emptyDir or a claim: the pod would read and write its node's disk",
    ),
  );
}

type Container = Containers["known"][number];

function confined({ name, values }: Container, { spec }: Pod): Finding[] {
  const own = (property: string) => at(values, "securityContext", property);
  /** What a container does not say, its pod does. */
  const said = (property: string) => own(property) ?? at(spec, "securityContext", property);
  const must = (property: string, value: Value, holds: (value: Value) => boolean, fix: string) =>
    demand(`container ${name}: securityContext.${property}`, value, holds, fix);
  return [
    ...must("runAsNonRoot", said("runAsNonRoot"), (value) => value === true, "set it to true"),
    ...must("runAsUser", said("runAsUser"), (value) => value !== 0, "0 is root; take another user"),
    ...must(
      "seccompProfile.type",
      at(said("seccompProfile"), "type"),
      (value) => value === "RuntimeDefault" || value === "Localhost",
      'set it to "RuntimeDefault"',
    ),
    ...must(
      "allowPrivilegeEscalation",
      own("allowPrivilegeEscalation"),
      (value) => value === false,
      "set it to false",
    ),
    ...must(
      "privileged",
      own("privileged"),
      (value) => value === undefined || value === false,
      "remove it: root on the node could do no more",
    ),
    ...must(
      "readOnlyRootFilesystem",
      own("readOnlyRootFilesystem"),
      (value) => value === true,
      "set it to true, and mount an emptyDir where it has to write",
    ),
    ...capabilities(name, own("capabilities")),
    ...hostPorts(name, values),
  ];
}

function capabilities(name: string, value: Value): Finding[] {
  const dropped = at(value, "drop");
  const added = at(value, "add");
  const where = `container ${name}: securityContext.capabilities`;
  return [
    ...demand(
      `${where}.drop`,
      dropped,
      (list) => isList(list) && (list.includes("ALL") || list.includes(unknown)),
      'set it to ["ALL"]',
    ),
    ...demand(
      `${where}.add`,
      added,
      (list) => !isList(list) || list.every((one) => one === "NET_BIND_SERVICE"),
      "remove what is not NET_BIND_SERVICE",
    ),
  ];
}

function hostPorts(name: string, { ports }: Values): Finding[] {
  if (ports === unknown) return [undecided(`container ${name}: ports`)];
  if (!isList(ports) || ports.every((port) => at(port, "hostPort") === undefined)) return [];
  return [broken(`container ${name} listens on a port of its node: remove hostPort, and make a Service`)];
}
