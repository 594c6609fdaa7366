// When objects are ready, and why they are not: no cluster needed.
import type { CoreV1Event, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import {
  claimReadiness,
  daemonSetReadiness,
  deploymentReadiness,
  jobReadiness,
  podReadiness,
  quotaReadiness,
  type Readiness,
  serviceReadiness,
  statefulSetReadiness,
} from "../../ops/standins/kubernetes/readiness";
import { grouped, podTrouble } from "../../ops/standins/kubernetes/reasons";
import { whatHolds } from "../../ops/standins/kubernetes/waiting";

const verdict = ({ ready, failed, status }: Readiness) =>
  ready ? "ready" : failed ? `failed: ${status}` : status;

/** Types of the client library ask for more than a status has. */
const like = <T>(object: unknown) => object as T;

describe("a StatefulSet", () => {
  const set = (status: object, spec: object = {}, generation = 2) =>
    verdict(
      statefulSetReadiness({
        metadata: { generation },
        spec: { replicas: 3, ...like<{ selector: never; template: never }>(spec) },
        status: { observedGeneration: 2, replicas: 3, ...status },
      }),
    );
  const rolledOut = { readyReplicas: 3, updatedReplicas: 3, currentRevision: "b", updateRevision: "b" };

  it.each([
    ["ready when all pods are, in one version", rolledOut, {}, "ready"],
    [
      "not looked at by its controller",
      rolledOut,
      { generation: 3 },
      "the StatefulSet controller has not begun yet",
    ],
    ["starting", { ...rolledOut, readyReplicas: 1 }, {}, "1 of 3 pods are ready"],
    [
      "rolling out",
      { readyReplicas: 3, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
      {},
      "1 of 3 pods have the new version",
    ],
    [
      "as good as rolled out",
      { readyReplicas: 3, updatedReplicas: 3, currentRevision: "a", updateRevision: "b" },
      {},
      "the new version is being declared the current one",
    ],
    [
      "held by a partition",
      { readyReplicas: 3, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
      { updateStrategy: { rollingUpdate: { partition: 2 } } },
      "ready",
    ],
    [
      "left to whoever deletes its pods",
      { readyReplicas: 3, updatedReplicas: 0, currentRevision: "a", updateRevision: "b" },
      { updateStrategy: { type: "OnDelete" } },
      "ready",
    ],
    [
      "left to whoever deletes its pods, and one is not ready",
      { readyReplicas: 2, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
      { updateStrategy: { type: "OnDelete" } },
      "2 of 3 pods are ready",
    ],
    ["shrinking", { ...rolledOut, replicas: 5, readyReplicas: 5 }, {}, "2 pods are still to be removed"],
    ["without pods", { replicas: 0 }, { replicas: 0 }, "ready"],
  ])("is %s", (_, status, spec, expected) => {
    const { generation, ...rest } = { generation: 2, ...spec };
    expect(set(status, rest, generation)).toBe(expected);
  });
});

describe("a Deployment", () => {
  const deployment = (status: object, spec: object = {}) =>
    verdict(
      deploymentReadiness(
        like({
          metadata: { generation: 1 },
          spec: { replicas: 2, ...spec },
          status: { observedGeneration: 1, ...status },
        }),
      ),
    );
  it.each([
    [{ replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, {}, "ready"],
    [{ replicas: 2, updatedReplicas: 1, availableReplicas: 2 }, {}, "1 of 2 pods have the new version"],
    [
      { replicas: 3, updatedReplicas: 2, availableReplicas: 3 },
      {},
      "1 pods of the old version are still to be removed",
    ],
    [{ replicas: 2, updatedReplicas: 2, availableReplicas: 1 }, {}, "1 of 2 pods are available"],
    [{ observedGeneration: 0 }, {}, "the Deployment controller has not begun yet"],
    [{}, { paused: true }, "ready"],
    [{}, { replicas: 0 }, "ready"],
  ])("with status %j and spec %j: %s", (status, spec, expected) => {
    expect(deployment(status, spec)).toBe(expected);
  });
});

describe("a DaemonSet", () => {
  const set = (status: object, type = "RollingUpdate") =>
    verdict(
      daemonSetReadiness(
        like({
          metadata: { generation: 1 },
          spec: { updateStrategy: { type } },
          status: { observedGeneration: 1, desiredNumberScheduled: 3, ...status },
        }),
      ),
    );
  it("is ready on every node, in the new version unless nobody rolls it out", () => {
    expect(set({ updatedNumberScheduled: 3, numberAvailable: 3 })).toBe("ready");
    expect(set({ updatedNumberScheduled: 3, numberAvailable: 1 })).toBe("a pod is available on 1 of 3 nodes");
    expect(set({ updatedNumberScheduled: 1, numberAvailable: 3 })).toBe("the new version is on 1 of 3 nodes");
    expect(set({ updatedNumberScheduled: 1, numberAvailable: 3 }, "OnDelete")).toBe("ready");
  });
});

describe("a Job", () => {
  const job = (status: object, spec: object = {}) => verdict(jobReadiness(like({ spec, status })));
  it("is ready when it is complete, and fails at once when it has failed", () => {
    const condition = (type: string, message = "") => ({ conditions: [{ type, status: "True", message }] });
    expect(job(condition("Complete"))).toBe("ready");
    expect(job(condition("Failed", "BackoffLimitExceeded"))).toBe("failed: it failed: BackoffLimitExceeded");
    expect(job({ succeeded: 1, failed: 2 }, { completions: 3 })).toBe("1 of 3 pods have finished, 2 failed");
    expect(job({}, { suspend: true })).toBe("ready");
  });
});

describe("a Service", () => {
  const service = (spec: object, ready: (boolean | undefined)[], waitedMs = 0, status: object = {}) => {
    const endpoints = ready.map((value) => ({ addresses: [], conditions: { ready: value } }));
    return verdict(serviceReadiness(like({ spec, status }), [like({ endpoints })], waitedMs));
  };
  const selector = { app: "a" };
  it.each<[string, object, (boolean | undefined)[], number, string]>([
    ["with a pod that is ready", { selector }, [false, true], 0, "ready"],
    ["with pods of which nothing is known", { selector }, [undefined], 0, "ready"],
    ["with pods that are not", { selector }, [false, false], 60_000, "none of its 2 pods is ready"],
    ["without pods, in the first moments", { selector }, [], 0, "it has no pods"],
    ["without pods on purpose", { selector }, [], 5_000, "ready"],
    ["without a selector", {}, [], 0, "ready"],
    ["that is headless", { selector, clusterIP: "None" }, [], 0, "ready"],
    ["that is another name", { selector, type: "ExternalName" }, [], 0, "ready"],
    ["with a load balancer to come", { type: "LoadBalancer" }, [], 0, "the load balancer has no address yet"],
  ])("%s", (_, spec, ready, waitedMs, expected) => {
    expect(service(spec, ready, waitedMs)).toBe(expected);
  });

  it("with a load balancer that has an address is ready", () => {
    expect(service({ type: "LoadBalancer" }, [], 0, { loadBalancer: { ingress: [{ ip: "1.1.1.1" }] } })).toBe(
      "ready",
    );
  });
});

it("a claim is ready when it is bound, or when it waits for its first pod", () => {
  const claim = (phase: string, mode?: string) =>
    verdict(
      claimReadiness(
        { status: { phase } },
        mode === undefined ? undefined : like({ volumeBindingMode: mode }),
      ),
    );
  expect(claim("Bound")).toBe("ready");
  expect(claim("Pending")).toBe("it is Pending");
  expect(claim("Pending", "Immediate")).toBe("it is Pending");
  expect(claim("Pending", "WaitForFirstConsumer")).toBe("ready");
  expect(claim("Lost", "WaitForFirstConsumer")).toBe("failed: its volume is lost");
});

it("a quota is ready when it is enforced", () => {
  expect(verdict(quotaReadiness({ spec: { hard: { pods: "1" } } }))).toBe("it is not enforced yet");
  expect(verdict(quotaReadiness({ spec: { hard: { pods: "1" } }, status: { hard: { pods: "1" } } }))).toBe(
    "ready",
  );
});

it("a pod is ready, has succeeded, or has failed", () => {
  const pod = (phase: string, ready = "False") =>
    verdict(
      podReadiness({ status: { phase, message: "why", conditions: [{ type: "Ready", status: ready }] } }),
    );
  expect(pod("Running", "True")).toBe("ready");
  expect(pod("Running")).toBe("it is Running");
  expect(pod("Succeeded")).toBe("ready");
  expect(pod("Failed")).toBe("failed: it failed: why");
});

describe("what is wrong with a pod", () => {
  const container = (status: object): V1ContainerStatus =>
    like({ name: "c", ready: false, restartCount: 3, image: "i", imageID: "", ...status });
  const pod = (containers: V1ContainerStatus[], more: object = {}): V1Pod => ({
    metadata: { name: "p" },
    status: { phase: "Running", containerStatuses: containers, ...more },
  });
  const event = (message: string): CoreV1Event => like({ message });
  const trouble = (of: V1Pod, events: CoreV1Event[] = []) => podTrouble(of, events)?.what;

  it("is nothing when it is ready or has succeeded", () => {
    expect(trouble(pod([], { conditions: [{ type: "Ready", status: "True" }] }))).toBeUndefined();
    expect(trouble(pod([], { phase: "Succeeded" }))).toBeUndefined();
  });

  it("is what the scheduler says", () => {
    const conditions = [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }];
    expect(trouble(pod([], { conditions }))).toBe("it cannot be scheduled: 0/3 nodes are available");
  });

  it("is what keeps a container from starting", () => {
    const waiting = { reason: "ImagePullBackOff", message: "no such image" };
    expect(trouble(pod([container({ state: { waiting } })]))).toBe(
      "container c: ImagePullBackOff: no such image",
    );
  });

  it("is the exit code of a container that crashes, whose log tells more", () => {
    const lastState = { terminated: { exitCode: 3, reason: "Error" } };
    expect(
      podTrouble(pod([container({ state: { waiting: { reason: "CrashLoopBackOff" } }, lastState })]), []),
    ).toEqual({
      pod: "p",
      what: "container c ended with exit code 3, 3 restarts so far",
      log: { container: "c", previous: true },
    });
    const killed = { terminated: { exitCode: 137, reason: "OOMKilled" } };
    expect(trouble(pod([container({ state: killed })]))).toBe(
      "container c ended with exit code 137 (OOMKilled)",
    );
  });

  it("is the last warning when the containers run", () => {
    const running = container({ state: { running: {} } });
    expect(trouble(pod([running]), [event("older"), event("Readiness probe failed: no\n")])).toBe(
      "Readiness probe failed: no",
    );
    expect(trouble(pod([running]))).toBe("container c is running and not ready yet");
    const creating = container({ state: { waiting: { reason: "ContainerCreating" } } });
    expect(trouble(pod([creating]))).toBe("container c is starting");
  });

  it("is said once for pods that have the same trouble", () => {
    const same = "container c: ErrImagePull";
    expect(
      grouped([
        { pod: "a", what: same },
        { pod: "b", what: "other" },
        { pod: "c", what: same },
      ]),
    ).toEqual([`a, c: ${same}`, "b: other"]);
  });
});

describe("what holds a deletion", () => {
  it("is what a namespace says is left in it, else finalizers, else what belongs to it", () => {
    const conditions = [
      { type: "NamespaceContentRemaining", status: "True", message: "pods. has 1 resource instances" },
      { type: "NamespaceDeletionDiscoveryFailure", status: "False", message: "fine" },
    ];
    expect(whatHolds({ status: { conditions } })).toBe("pods. has 1 resource instances");
    expect(whatHolds({ metadata: { finalizers: ["foregroundDeletion", "a/b"] } })).toBe(
      "finalizers hold it: a/b",
    );
    expect(whatHolds({ metadata: { finalizers: ["foregroundDeletion"] } })).toBe(
      "what belongs to it is being deleted first",
    );
    expect(whatHolds({ metadata: {} })).toBe("it is being deleted");
  });
});
