// A short run of the benchmark's faults: what matters here is that nothing is lost, and that everything recovers by itself.
// How fast is for `npm run bench -- failover` to say.
import { afterAll, beforeAll, expect, it } from "vitest";
import { benchFailover } from "../../ops/bench/failover";
import type { Kind } from "../../ops/bench/failover/kinds";
import { createLog } from "../../ops/log";
import { ensureCluster, type TestCluster } from "../cluster";
import { ClusterStack } from "./support/clusterStack";

const kinds: Kind[] = [
  "kill-postgres",
  "kill-patroni",
  "delete-pod",
  "freeze-node",
  "cut-node",
  "switchover",
];
/** Seconds; only to catch a fault after which nothing goes on. */
const hanging = 45;

const log = createLog({ quiet: false });
let cluster: TestCluster;
let stack: ClusterStack;

beforeAll(async () => {
  cluster = await ensureCluster(log);
  stack = new ClusterStack(cluster);
  expect(await stack.deploy("up")).toMatchObject({ result: "succeeded" });
}, 900_000);
afterAll(async () => {
  await stack?.deploy("destroy");
  stack?.remove();
}, 300_000);

it("loses nothing and has one primary at a time, whatever happens", { timeout: 1_200_000 }, async () => {
  const report = await benchFailover({
    kubeconfig: cluster.kubeconfig,
    seed: 1,
    count: kinds.length,
    kinds,
    apiServerDownSeconds: 10,
    log,
    signal: new AbortController().signal,
  });
  expect(report.stopped).toBeUndefined();
  expect(report.faults.map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
  expect(report.faults.flatMap(({ problems, evidence }) => [...problems, ...evidence])).toEqual([]);
  expect(report).toMatchObject({ lost: 0, twoPrimaries: 0 });
  expect(report.acknowledged).toBeGreaterThan(1_000);
  for (const { kind, seconds } of report.faults) expect(seconds, kind).toBeLessThan(hanging);
  const takenOver = report.faults.filter(({ from, to }) => from !== to).map(({ kind }) => kind);
  expect(takenOver).toEqual(expect.arrayContaining(["delete-pod", "freeze-node", "cut-node", "switchover"]));
});
