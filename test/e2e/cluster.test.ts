// The test cluster itself, on one of its own beside the shared one: what it promises, what it leaves behind, and that
// each fault does what it says.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Log } from "../../ops/log";
import { projectRoot } from "../../ops/paths";
import { ask, isReady, readyNodes } from "../cluster/apiServer";
import { processesIn } from "../cluster/cgroups";
import { down, stateOf, up } from "../cluster/cluster";
import {
  cutFromApiServer,
  cutNode,
  freezeMachine,
  healDisk,
  healNode,
  healToApiServer,
  jumpClock,
  killInPod,
  slowDisk,
  startApiServer,
  stopApiServer,
  thawMachine,
} from "../cluster/faults";
import { clockTag, databaseTag } from "../cluster/images/database";
import { type NodePlan, planCluster } from "../cluster/plan";
import { findPod, type PodPlace, processesOfPod } from "../cluster/pods";
import { ensureTools, type Tools } from "../cluster/tools";
import { allProcesses, hostState, namespacesOf } from "./support/hostState";
import { type Kubectl, kubectlFor } from "./support/kubectl";
import { until } from "./support/until";
import { fetchFrom, namespace, reaches, webPods } from "./support/webPods";

const plan = planCluster("test");
const log: Log = { info: () => undefined, warn: (line) => process.stderr.write(`${line}\n`) };

let tools: Tools;
let kubectl: Kubectl;
let before: ReadonlySet<string>;

beforeAll(async () => {
  tools = await ensureTools(log);
  kubectl = kubectlFor(plan, tools);
  await down(plan, log);
  before = await hostState(tools);
  await up(plan, log);
  await kubectl(["apply", "--server-side", "-f", "-"], webPods());
  await kubectl(["-n", namespace, "rollout", "status", "statefulset/web", "--timeout=60s"]);
}, 300_000);
afterAll(() => down(plan, log), 60_000);

describe("a fresh cluster", () => {
  it("has three nodes, each in a zone of its own", async () => {
    const nodes = JSON.parse(await kubectl(["get", "nodes", "-o", "json"])) as {
      items: { metadata: { name: string; labels: Record<string, string> } }[];
    };
    const zones = nodes.items.map(({ metadata }) => [
      metadata.name,
      metadata.labels["topology.kubernetes.io/zone"],
    ]);
    expect(zones).toEqual([
      ["node-1", "zone-1"],
      ["node-2", "zone-2"],
      ["node-3", "zone-3"],
    ]);
    expect(await readyNodes(plan.kubeconfig)).toHaveLength(3);
  });

  it("does nothing when it is told to come up again", async () => {
    const controlPlane = () => processesIn(plan.cgroup).filter(isDaemon).sort();
    const before = controlPlane();
    await up(plan, log);
    expect(before.length).toBeGreaterThan(10);
    expect(controlPlane()).toEqual(before);
  });

  it("runs pods of different nodes that reach each other by name, and under their own addresses", async () => {
    for (const [from, to] of [
      ["web-0", "web-1"],
      ["web-1", "web-2"],
      ["web-2", "web-0"],
    ] as const) {
      const pod = await place(from);
      const answer = await fetchFrom(pod, `http://${to}.web.${namespace}.svc.cluster.local:8000`);
      expect(answer).toBe(`${to} sees ${pod.address}`);
    }
  });

  it("serves a Service by all its pods", async () => {
    const pod = await place("web-0");
    const answers = new Set<string>();
    await until("each pod has answered", async () => {
      answers.add((await fetchFrom(pod, `http://front.${namespace}`)).split(" ")[0] ?? "");
      return answers.size === 3;
    });
    expect([...answers].sort()).toEqual(["web-0", "web-1", "web-2"]);
  });

  it("refuses what the Pod Security standard of a namespace forbids", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "privileged", namespace },
      spec: { containers: [{ name: "one", image: databaseTag, securityContext: { privileged: true } }] },
    };
    await expect(kubectl(["create", "-f", "-"], pod)).rejects.toThrow(/violates PodSecurity "restricted/);
  });

  it("asks for rights: a service account without any may do nothing", async () => {
    await expect(
      kubectl(["--as", `system:serviceaccount:${namespace}:default`, "-n", namespace, "get", "pods"]),
    ).rejects.toThrow(/forbidden/);
  });

  it("enforces network policies", async () => {
    const pod = await place("web-0");
    const url = addressUrl(await place("web-1"));
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "closed", namespace },
      spec: { podSelector: {}, policyTypes: ["Ingress"] },
    };
    await kubectl(["create", "-f", "-"], policy);
    await until("the policy holds", async () => !(await reaches(pod, url)));
    await kubectl(["-n", namespace, "delete", "networkpolicy", "closed"]);
    await until("it holds no more", () => reaches(pod, url));
  });
});

describe("a volume", () => {
  it("really fills at its size, and grows while it is in use", async () => {
    const fill = "dd if=/dev/zero of=/data/big bs=1M count=2000 2>&1 || true; stat -c %s /data/big";
    const filled = await inPod("web-0", fill);
    expect(filled).toContain("No space left on device");
    const bytes = Number(filled.split("\n").at(-1));
    expect(bytes / 2 ** 20).toBeGreaterThan(200);
    expect(bytes / 2 ** 20).toBeLessThan(320);
    const patch = { spec: { resources: { requests: { storage: "600Mi" } } } };
    await kubectl(["-n", namespace, "patch", "pvc", "data-web-0", "--patch", JSON.stringify(patch)]);
    await until("the claim has what it asks for", async () => {
      const path = "jsonpath={.status.capacity.storage}";
      return (await kubectl(["-n", namespace, "get", "pvc", "data-web-0", "-o", path])) === "600Mi";
    });
    const refilled = Number((await inPod("web-0", fill)).split("\n").at(-1));
    expect(refilled - bytes).toBeGreaterThan(250 * 2 ** 20);
    await inPod("web-0", "rm /data/big");
  });

  it("is gone with its claim", async () => {
    await kubectl(["-n", namespace, "scale", "statefulset/web", "--replicas=2"]);
    await kubectl(["-n", namespace, "wait", "--for=delete", "pod/web-2", "--timeout=60s"]);
    const volume = await kubectl([
      ...["-n", namespace, "get", "pvc", "data-web-2", "-o", "jsonpath={.spec.volumeName}"],
    ]);
    await kubectl(["-n", namespace, "delete", "pvc", "data-web-2"]);
    await kubectl(["wait", "--for=delete", `pv/${volume}`, "--timeout=60s"]);
    await kubectl(["-n", namespace, "scale", "statefulset/web", "--replicas=3"]);
    await kubectl(["-n", namespace, "rollout", "status", "statefulset/web", "--timeout=60s"]);
  });

  it("gets slow, and fast again", async () => {
    const pod = await place("web-0");
    const write = "dd if=/dev/zero of=/data/slow bs=8k count=40 oflag=dsync 2>/dev/null";
    await slowDisk(pod, "data", 10);
    const slow = await seconds(() => inPod("web-0", write));
    await healDisk(pod, "data");
    const fast = await seconds(() => inPod("web-0", write));
    expect(slow).toBeGreaterThan(2);
    expect(fast).toBeLessThan(slow / 2);
  });
});

describe("faults", () => {
  it("kills what matches in one pod alone", async () => {
    const pod = await place("web-1");
    const other = (await processesOfPod(await place("web-0"))).map(({ pid }) => pid);
    await expect(killInPod(pod, /no such command/, "SIGKILL")).resolves.toBe(0);
    await expect(killInPod(pod, /^python3 /, "SIGKILL")).resolves.toBe(1);
    await until("it was started again", async () => {
      const path = "jsonpath={.status.containerStatuses[0].restartCount}";
      return (await kubectl(["-n", namespace, "get", "pod", "web-1", "-o", path])) === "1";
    });
    const still = (await processesOfPod(await place("web-0"))).map(({ pid }) => pid);
    expect(still).toEqual(other);
    await kubectl(["-n", namespace, "rollout", "status", "statefulset/web", "--timeout=60s"]);
  });

  it("freezes a node: nothing there goes on, and the control plane notices", async () => {
    const [witness, frozen] = [await place("web-0"), await place("web-1")];
    await freezeMachine(plan, frozen.node.name);
    expect(await reaches(witness, addressUrl(frozen))).toBe(false);
    await lost(frozen.node);
    await thawMachine(plan, frozen.node.name);
    expect(await reaches(witness, addressUrl(frozen))).toBe(true);
    await allReady();
  });

  it("cuts a node off: nobody reaches its pods, and they reach nobody", async () => {
    const [witness, cut, other] = [await place("web-0"), await place("web-1"), await place("web-2")];
    await cutNode(plan, cut.node.name);
    expect(await reaches(witness, addressUrl(cut))).toBe(false);
    expect(await reaches(cut, addressUrl(witness))).toBe(false);
    expect(await reaches(witness, addressUrl(other))).toBe(true);
    await healNode(plan, cut.node.name);
    expect(await reaches(witness, addressUrl(cut))).toBe(true);
    await allReady();
  });

  it("cuts a pod from the API server alone", async () => {
    const [cut, other] = [await place("web-1"), await place("web-2")];
    const api = "https://kubernetes.default/readyz";
    expect(await reaches(cut, api)).toBe(true);
    await cutFromApiServer(plan, cut);
    expect(await reaches(cut, api)).toBe(false);
    expect(await reaches(cut, addressUrl(other))).toBe(true);
    expect(await reaches(other, api)).toBe(true);
    await healToApiServer(plan, cut);
    expect(await reaches(cut, api)).toBe(true);
  });

  it("cuts a node from the API server alone", async () => {
    const [witness, cut] = [await place("web-0"), await place("web-1")];
    await cutFromApiServer(plan, cut.node);
    await lost(cut.node);
    expect(await reaches(witness, addressUrl(cut))).toBe(true);
    await healToApiServer(plan, cut.node);
    await allReady();
  });

  it("sets the clock of a pod alone, and of no image that it can't", async () => {
    await expect(jumpClock(await place("web-1"), 60)).rejects.toThrow("no image whose clock can be set");
    await kubectl(["-n", namespace, "set", "image", "statefulset/web", `web=${clockTag}`]);
    await kubectl(["-n", namespace, "rollout", "status", "statefulset/web", "--timeout=60s"]);
    for (const jump of [3600, -3600, 0]) {
      await jumpClock(await place("web-1"), jump);
      await until(`the clock is ${jump} s off`, async () => Math.abs((await clockOf("web-1")) - jump) < 60);
      expect(Math.abs(await clockOf("web-0"))).toBeLessThan(60);
    }
  });

  it("takes the API server away and gives it back", async () => {
    await stopApiServer(plan);
    expect(await ask(plan.kubeconfig, "/readyz")).toBeUndefined();
    await sleep(1000);
    expect(await ask(plan.kubeconfig, "/readyz")).toBeUndefined();
    await startApiServer(plan);
    await until("it is ready", () => isReady(plan.kubeconfig));
    await allReady();
  });
});

describe("down", () => {
  it("leaves nothing behind", async () => {
    const inside = ownNamespaces();
    const during = (await newSinceBefore()).join("\n");
    expect(during).toContain(`link ${plan.hostLink.name}`);
    expect(during).toContain(`cgroup freezer/${plan.cgroup}`);
    expect(during).toContain(`loop /machine/volumes/${plan.cgroup}`);
    // Four machines, each with a network, mounts and processes of its own.
    expect(inside.size).toBeGreaterThanOrEqual(12);
    await down(plan, log);
    await expectNothingLeft(inside);
  });

  it("leaves nothing behind of an up that was killed half-way", async () => {
    const script = `
      const { up } = require("./test/cluster/cluster");
      const { planCluster } = require("./test/cluster/plan");
      up(planCluster(${JSON.stringify(plan.name)}), { info() {}, warn() {} });`;
    const child = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), "-e", script], {
      cwd: projectRoot,
      stdio: "ignore",
    });
    await until("nodes have begun to run", async () => processesIn(`${plan.cgroup}/node-3`).length > 5);
    child.kill("SIGKILL");
    expect(stateOf(plan)).toBe("broken");
    const inside = ownNamespaces();
    await down(plan, log);
    await expectNothingLeft(inside);
  });

  it("does nothing when there is nothing", async () => {
    await down(plan, log);
    expect(stateOf(plan)).toBe("down");
  });
});

/** @param inside namespaces that the cluster's processes had */
async function expectNothingLeft(inside: ReadonlySet<string>): Promise<void> {
  expect(await newSinceBefore()).toEqual([]);
  const left = () => allProcesses().filter((pid) => [...namespacesOf([pid])].some((one) => inside.has(one)));
  // Whoever started them hears of their end a moment later; until then they are listed.
  await until("no process is left", async () => left().length === 0);
  expect(existsSync(plan.folder)).toBe(false);
  expect(stateOf(plan)).toBe("down");
}

/** Namespaces of the cluster's processes that are not the host's: its agents run there. */
function ownNamespaces(): ReadonlySet<string> {
  const host = namespacesOf([process.pid]);
  return new Set([...namespacesOf(processesIn(plan.cgroup))].filter((one) => !host.has(one)));
}

/** What the host has that it had not before this cluster, but for that of other clusters. */
async function newSinceBefore(): Promise<string[]> {
  const others = /ms5-(?!test-)\w+-[0-9a-f]{4}/;
  return [...(await hostState(tools))].filter((line) => !before.has(line) && !others.test(line));
}

function place(name: string): Promise<PodPlace> {
  return findPod(plan, namespace, name);
}

function addressUrl({ address }: PodPlace): string {
  return `http://${address}:8000`;
}

/** Runs a shell in the pod, as kubectl exec does: within its limits. */
function inPod(name: string, script: string): Promise<string> {
  return kubectl(["-n", namespace, "exec", name, "--", "sh", "-c", script]);
}

/** How far ahead of ours the clock is that the pod's server goes by, in seconds. */
async function clockOf(name: string): Promise<number> {
  const date = await inPod(name, "date +%s");
  return Number(date) - Date.now() / 1000;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

async function lost({ name }: NodePlan): Promise<void> {
  await until(`${name} is not ready`, async () => !(await readyNodes(plan.kubeconfig)).includes(name));
}

async function allReady(): Promise<void> {
  await until("all nodes are ready", async () => (await readyNodes(plan.kubeconfig)).length === 3);
  await kubectl(["-n", namespace, "rollout", "status", "statefulset/web", "--timeout=60s"]);
}

/** What `up` started, not what runs in pods. */
function isDaemon(pid: number): boolean {
  const file = `/proc/${pid}/comm`;
  return existsSync(file) && /^(etcd|kube-.*|kubelet|containerd)$/.test(readFileSync(file, "utf8").trim());
}
