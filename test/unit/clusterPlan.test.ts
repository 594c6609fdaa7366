import { describe, expect, it } from "vitest";
import { machinesOf, network, nodeOf, planCluster } from "../cluster/plan";

describe("the plan of a cluster", () => {
  const plan = planCluster("one");

  it("gives each machine an address, a folder and a cgroup of its own", () => {
    const machines = machinesOf(plan);
    for (const property of ["name", "address", "folder", "cgroup"] as const) {
      expect(new Set(machines.map((machine) => machine[property])).size).toBe(4);
    }
    const networks = [network.machines, network.pods, network.services];
    expect(new Set(networks.map((range) => range.split(".").slice(0, 2).join("."))).size).toBe(3);
    for (const { podSubnet } of plan.nodes) expect(podSubnet).toMatch(/^10\.208\.\d+\.0\/24$/);
  });

  it("keeps clusters of different names apart, and the same one the same", () => {
    const other = planCluster("two");
    expect(planCluster("one")).toEqual(plan);
    for (const property of ["folder", "cgroup", "kubeconfig"] as const) {
      expect(other[property]).not.toBe(plan[property]);
    }
    expect(other.hostLink.name).not.toBe(plan.hostLink.name);
  });

  it.each(["main", "a", "rather-long"])("links cluster %s to the host by a link the kernel takes", (name) => {
    const { hostLink } = planCluster(name);
    expect(hostLink.name.length).toBeLessThanOrEqual(15);
    const [host, cluster] = [hostLink.host, hostLink.cluster].map((address) =>
      address.split(".").map(Number),
    );
    expect(host?.slice(0, 3)).toEqual(cluster?.slice(0, 3));
    expect(host?.slice(0, 2)).toEqual([169, 254]);
    // Metadata services of clouds are at 169.254.169.254, and others below 169.254.200.
    expect(host?.[2]).toBeGreaterThanOrEqual(200);
    // First and second address of one and the same /30.
    expect((host?.[3] ?? 0) % 4).toBe(1);
    expect((cluster?.[3] ?? 0) % 4).toBe(2);
  });

  it("finds nodes by name, and says when there is none", () => {
    expect(nodeOf(plan, "node-2").zone).toBe("zone-2");
    expect(() => nodeOf(plan, "node-4")).toThrow("there is no node node-4");
  });
});
