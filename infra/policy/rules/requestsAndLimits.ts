// A pod without requests is put on a node that has no room for it, and is the first to go there; one without a limit on
// memory takes that of others. A limit on CPU is not asked for: a database that is throttled misses its turns, and a
// failover comes of nothing (infra/database/podSpec.ts).
import { containersOf, podOf } from "../kubernetes";
import { demand, type ResourceRule, undecided } from "../rule";
import { at } from "../values";

const wanted = [
  ["requests", "cpu"],
  ["requests", "memory"],
  ["limits", "memory"],
] as const;

export const requestsAndLimits: ResourceRule = {
  name: "requests-and-limits",
  description: "Every container requests CPU and memory, and has a limit on memory",
  check(resource) {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    const containers = containersOf(pod);
    return [
      ...containers.unknown.map(undecided),
      ...containers.known.flatMap(({ name, values }) =>
        wanted.flatMap(([kind, what]) =>
          demand(
            `container ${name}: resources.${kind}.${what}`,
            at(values, "resources", kind, what),
            (value) => value !== undefined && value !== null,
            "say how much it needs, where the pod is written",
          ),
        ),
      ),
    ];
  },
};
