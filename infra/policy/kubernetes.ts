// Kubernetes objects as rules speak of them: pods wherever they are written, and their containers.
import type { CheckedResource } from "./rule";
import { at, isList, isObject, unknown, type Value, type Values } from "./values";

/** `apps:Deployment`, `core:Service`; undefined for what is no Kubernetes object. */
export function kubernetesKind(type: string): string | undefined {
  const [, group, kind] = /^kubernetes:([^/:]+)(?:\/[^:]+)?:(\w+)$/.exec(type) ?? [];
  return group === undefined ? undefined : `${group}:${kind}`;
}

const template = ["spec", "template", "spec"];

const podPaths: Readonly<Record<string, readonly string[]>> = {
  "core:Pod": ["spec"],
  "core:PodTemplate": ["template", "spec"],
  "core:ReplicationController": template,
  "apps:Deployment": template,
  "apps:StatefulSet": template,
  "apps:DaemonSet": template,
  "apps:ReplicaSet": template,
  "batch:Job": template,
  "batch:CronJob": ["spec", "jobTemplate", ...template],
};

export interface Pod {
  /** Where it is written: `spec.template.spec`. */
  readonly path: string;
  readonly spec: Value;
}

/** The pod that an object is, or makes. */
export function podOf({ type, values }: CheckedResource): Pod | undefined {
  const path = podPaths[kubernetesKind(type) ?? ""];
  return path === undefined ? undefined : { path: path.join("."), spec: at(values, ...path) };
}

export interface Containers {
  /** Init containers too. */
  readonly known: readonly { readonly name: string; readonly values: Values }[];
  /** Paths of lists and containers that are not known yet. */
  readonly unknown: readonly string[];
}

export function containersOf({ path, spec }: Pod): Containers {
  if (spec === unknown) return { known: [], unknown: [path] };
  const entries = ["initContainers", "containers"].flatMap((list): [string, Value][] => {
    const value = at(spec, list);
    if (value === unknown) return [[`${path}.${list}`, unknown]];
    if (!isList(value)) return [];
    return value.map((container, index) => [`${path}.${list}[${index}]`, container]);
  });
  return {
    known: entries.flatMap(([where, container]) =>
      isObject(container) ? [{ name: nameOf(container, where), values: container }] : [],
    ),
    unknown: entries.filter(([, container]) => container === unknown).map(([where]) => where),
  };
}

function nameOf(container: Values, where: string): string {
  const { name } = container;
  return typeof name === "string" ? name : where;
}

/** Whether an object lies in one of our namespaces, where the database and its pooler are; unknown when that is. */
export function inOurNamespaces({ values }: CheckedResource): boolean | typeof unknown {
  const namespace = at(values, "metadata", "namespace");
  if (namespace === unknown) return unknown;
  return typeof namespace === "string" && namespace.startsWith("ms5-");
}
