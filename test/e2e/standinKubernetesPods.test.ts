// How the kubernetes stand-in waits for pods, and what it says when they don't come, on a real cluster.
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runStack } from "../../ops/engine/stack";
import { metadataOf } from "../../ops/standins/kubernetes/object";
import { ensureCluster } from "../cluster";
import { Sandbox, until } from "../engine/support/sandbox";
import { StandInStack } from "../engine/support/standInStack";
import { silent } from "../support/embedded";
import { TestNamespace } from "./support/kubernetes";

const image = "ms5.local/database:trixie";

let namespace: TestNamespace;
let stack: StandInStack;

beforeAll(async () => {
  const { kubeconfig } = await ensureCluster(silent);
  namespace = await TestNamespace.create(kubeconfig, "standin-pods");
  stack = await StandInStack.start(["kubernetes"]);
}, 600_000);
afterEach(async () => {
  await stack.run("destroy");
});
afterAll(async () => {
  await stack?.stop();
  await namespace?.remove();
});

type Options = { provider: k8s.Provider };

function program(declare: (options: Options) => unknown): pulumi.automation.PulumiFn {
  return async () => {
    const provider = new k8s.Provider("test", {
      kubeconfig: namespace.kubeconfig,
      namespace: namespace.name,
    });
    declare({ provider });
    return {};
  };
}

/** Pods that run `script`, and end at once when told to. */
function template(name: string, script: string, container: Partial<k8s.types.input.core.v1.Container> = {}) {
  return {
    metadata: { labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image, command: ["/bin/sh", "-c", script], ...container }],
    },
  };
}

const forever = "exec sleep infinity";

function deployment(
  name: string,
  script: string,
  options: pulumi.CustomResourceOptions,
  container: Partial<k8s.types.input.core.v1.Container> = {},
): void {
  const spec = { selector: { matchLabels: { app: name } }, template: template(name, script, container) };
  new k8s.apps.v1.Deployment(name, { metadata: { name }, spec }, options);
}

async function failure(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return String(error);
  }
  throw new Error("it did not fail");
}

async function podNames(app: string): Promise<string[]> {
  const pods = await namespace.objects.list({ apiVersion: "v1", kind: "Pod" }, namespace.name, {
    labels: { app },
  });
  return pods.map((pod) => (pod.metadata as { name: string }).name).sort();
}

describe("what is waited for", () => {
  const ready = { exec: { command: ["test", "-e", "/tmp/ready"] }, periodSeconds: 1 };
  const set = (version: string, type: "RollingUpdate" | "OnDelete" = "RollingUpdate") =>
    program((options) => {
      const labels = { app: "set" };
      new k8s.core.v1.Service(
        "set",
        { metadata: { name: "set" }, spec: { selector: labels, ports: [{ port: 80 }] } },
        options,
      );
      const env = [{ name: "VERSION", value: version }];
      const spec = {
        replicas: 2,
        serviceName: "set",
        selector: { matchLabels: labels },
        updateStrategy: { type },
        template: template("set", `sleep 1; touch /tmp/ready; ${forever}`, { readinessProbe: ready, env }),
      };
      new k8s.apps.v1.StatefulSet("set", { metadata: { name: "set" }, spec }, options);
    });
  const statusOf = async () => (await namespace.get("apps/v1", "StatefulSet", "set")).status;

  it("is that all pods of a StatefulSet are ready and in its newest version, unless nobody rolls it out", async () => {
    const { statuses } = await stack.run("up", set("1"));
    expect(statuses.join("\n")).toMatch(/[01] of 2 pods are ready/);
    expect(await statusOf()).toMatchObject({ readyReplicas: 2 });

    await stack.run("up", set("2"));
    const { currentRevision, updateRevision, readyReplicas } = (await statusOf()) as Record<string, unknown>;
    expect({ currentRevision, readyReplicas }).toEqual({ currentRevision: updateRevision, readyReplicas: 2 });

    await stack.run("up", set("3", "OnDelete"));
    const left = (await statusOf()) as Record<string, unknown>;
    expect(left.currentRevision).not.toBe(left.updateRevision);

    await stack.run("destroy");
    expect(await podNames("set")).toEqual([]);
  });

  it("is nothing where the pods of a replaced StatefulSet are to live on", async () => {
    const orphaning = (revisionHistoryLimit: number) =>
      program((options) => {
        const metadata = { name: "kept", annotations: { "pulumi.com/deletionPropagationPolicy": "orphan" } };
        const selector = { matchLabels: { app: "kept" } };
        const spec = {
          serviceName: "kept",
          revisionHistoryLimit,
          selector,
          template: template("kept", forever),
        };
        new k8s.apps.v1.StatefulSet("kept", { metadata, spec }, options);
      });
    await stack.run("up", orphaning(1));
    const { uid } = metadataOf(await namespace.get("v1", "Pod", "kept-0"));
    const { steps } = await stack.run("up", orphaning(2));
    expect(steps.map(({ op }) => op)).toEqual(["delete-replaced", "replace", "create-replacement"]);
    expect(metadataOf(await namespace.get("v1", "Pod", "kept-0")).uid).toBe(uid);
    // Its own end leaves them, too.
    await stack.run("destroy");
    await namespace.delete(namespace.at("v1", "Pod", "kept-0"));
  });

  it("is that Deployments and DaemonSets run, Jobs are done and claims of volumes go on", async () => {
    const all = program((options) => {
      deployment("web", forever, options);
      new k8s.apps.v1.DaemonSet(
        "agent",
        { spec: { selector: { matchLabels: { app: "agent" } }, template: template("agent", forever) } },
        options,
      );
      const { metadata, spec } = template("job", "true");
      new k8s.batch.v1.Job(
        "job",
        { spec: { template: { metadata, spec: { ...spec, restartPolicy: "Never" } } } },
        options,
      );
      const resources = { requests: { storage: "1Gi" } };
      new k8s.core.v1.PersistentVolumeClaim(
        "claim",
        { spec: { accessModes: ["ReadWriteOnce"], resources } },
        options,
      );
    });
    expect((await stack.run("up", all)).changes).toEqual({ create: 6 });
    expect((await stack.run("up", all)).changes).toEqual({ same: 6 });
    expect(await podNames("agent")).toHaveLength(3);
  });
});

describe("when pods don't come", () => {
  it("says why, in the words of the cluster", async () => {
    const said = await failure(
      stack.run(
        "up",
        program((own) => {
          const options = { ...own, customTimeouts: { create: "25s" } };
          // Without a probe it would count as available in the moment before it ends.
          const readinessProbe = { exec: { command: ["true"] }, initialDelaySeconds: 5 };
          // One stream: of two, nobody knows which is read first.
          const script = "echo no such table >&2; echo giving up >&2; exit 3";
          deployment("crashing", script, options, { readinessProbe });
          deployment("imageless", forever, options, {
            image: "ms5.local/nowhere:none",
            imagePullPolicy: "Never",
          });
          deployment("unready", forever, options, {
            readinessProbe: {
              exec: { command: ["sh", "-c", "echo not in the mood; false"] },
              periodSeconds: 1,
            },
          });
          deployment("huge", forever, options, { resources: { requests: { memory: "100Ti" } } });
          const { metadata, spec } = template("failing", "echo broken pipe; exit 7");
          const once = { metadata, spec: { ...spec, restartPolicy: "Never" } };
          new k8s.batch.v1.Job("failing", { spec: { backoffLimit: 0, template: once } }, options);
        }),
      ),
    );
    expect(said).toMatch(/Deployment \S+crashing was not ready in 25 s: 0 of 1 pods are available/);
    expect(said).toMatch(/crashing-\S+: container main ended with exit code 3, \d restarts so far/);
    expect(said).toMatch(/the last lines of Pod \S+, container main:\s+no such table\s+giving up/);
    expect(said).toMatch(/imageless-\S+: container main: ErrImageNeverPull/);
    expect(said).toMatch(/unready-\S+: Readiness probe failed: not in the mood/);
    expect(said).toMatch(/huge-\S+: it cannot be scheduled: 0\/3 nodes are available: .*Insufficient memory/);
    expect(said).toMatch(/Job \S+: it failed: .*backoff limit/i);
    expect(said).toMatch(/failing-\S+: container main ended with exit code 7\s/);
    expect(said).toContain("broken pipe");
  });

  it("says what a quota or the namespace's pod security has against them, and warns of the latter at preview", async () => {
    await namespace.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: namespace.name,
        labels: {
          "pod-security.kubernetes.io/enforce": "restricted",
          "pod-security.kubernetes.io/warn": "restricted",
        },
      },
    });
    const unsafe = program((own) => {
      deployment("unsafe", forever, { ...own, customTimeouts: { create: "6s" } });
    });
    const preview = await stack.run("preview", unsafe);
    expect(preview.said.join("\n")).toMatch(/would violate PodSecurity "restricted/);
    const said = await failure(stack.run("up", unsafe));
    expect(said).toMatch(/pods "unsafe-\S+" is forbidden: violates PodSecurity "restricted/);
    await namespace.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace.name } });
  });

  it("ends at once at Ctrl-C, with the object in the state, and carries on when it is run again", async () => {
    const box = new Sandbox();
    try {
      const waiting = (script: string) =>
        program((options) =>
          deployment("slow", script, options, {
            readinessProbe: { exec: { command: ["test", "-e", "/tmp/ready"] }, periodSeconds: 1 },
          }),
        );
      const interrupt = new AbortController();
      let isWaiting = false;
      const run = (operation: "up" | "destroy", script: string, signal?: AbortSignal) =>
        runStack(operation, "test", {
          log: box.log,
          place: box.place,
          program: waiting(script),
          providers: ["kubernetes"],
          signal,
          onEvent: ({ resources }) => {
            isWaiting ||= [...resources.values()].some(({ progress }) => progress !== undefined);
          },
        });
      const first = run("up", forever, interrupt.signal);
      await until("it waits", () => isWaiting, 60);
      const at = Date.now();
      interrupt.abort();
      const { result, diagnostics } = await first;
      // Waiting for it would take ten minutes.
      expect(Date.now() - at).toBeLessThan(90_000);
      expect(result).toBe("interrupted");
      expect(diagnostics.map(({ message }) => message).join("\n")).toContain(
        `waiting for Deployment ${namespace.name}/slow was interrupted`,
      );
      const second = await run("up", `touch /tmp/ready; ${forever}`);
      expect(second).toMatchObject({ result: "succeeded", resources: { created: 0, updated: 1 } });
      expect(await run("destroy", forever)).toMatchObject({ result: "succeeded" });
      expect(await podNames("slow")).toEqual([]);
    } finally {
      box.remove();
    }
  });
});
