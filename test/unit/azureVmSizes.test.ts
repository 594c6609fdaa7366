import fc from "fast-check";
import { describe, expect, it } from "vitest";
import table from "../../infra/azure/data/vmSizes.json";
import {
  allocatable,
  findVmSize,
  osDisk,
  requireVmSize,
  systemPoolProblem,
  vmSizes,
} from "../../infra/azure/vmSizes";
import { UserError } from "../../infra/errors";
import { byMake } from "../support/vmMakes";

const mebibyte = 2 ** 20;
const anySize = fc.constantFrom(...vmSizes);

describe("sizes of nodes", () => {
  it("are looked up as Azure writes them", () => {
    expect(findVmSize("Standard_E4ads_v5")).toMatchInlineSnapshot(`
      {
        "dataDisks": 8,
        "family": "memory",
        "localGib": 150,
        "memoryGib": 32,
        "name": "Standard_E4ads_v5",
        "spot": true,
        "vcpus": 4,
      }
    `);
    expect(findVmSize("Standard_B2ms")?.spot).toBe(false);
    expect(findVmSize("standard_e4ads_v5")).toBeUndefined();
  });

  it("that are not in the table are refused with those that look like them", () => {
    let refusal: unknown;
    try {
      requireVmSize("Standard_E4ads_v4");
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(UserError);
    expect(refusal).toMatchObject({
      message: 'VM size "Standard_E4ads_v4" is not in infra/azure/data/vmSizes.json',
      fix: "take one that is, for example Standard_E4ads_v5, Standard_E4ads_v6, Standard_D4ads_v5; or add it there, and its price in prices.json",
    });
  });

  it("have what their names and families say", () => {
    for (const { name, family, vcpus, memoryGib, localGib } of vmSizes) {
      const [, letter, number, features = ""] = /^Standard_([BDE])(\d+)([a-z]+)(_v\d)?$/.exec(name) ?? [];
      expect(family, name).toBe({ B: "burstable", D: "general", E: "memory" }[letter ?? ""]);
      expect(Number(number), name).toBe(vcpus);
      expect(memoryGib / vcpus, name).toBe(family === "memory" ? 8 : 4);
      expect(localGib > 0, name).toBe(features.includes("d"));
      // Premium SSD, without which there is no volume.
      expect(features, name).toMatch(/s$/);
    }
  });

  it("take more disks the larger they are", () => {
    for (const sizes of byMake().values()) {
      const disks = sizes.map(({ dataDisks }) => dataDisks);
      expect(disks).toEqual([...disks].sort((one, other) => one - other));
      expect(Math.min(...disks)).toBeGreaterThanOrEqual(4);
    }
  });

  it("are dated, with where they are from and how to see today's", () => {
    expect(table.date).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(table.source).not.toBe("");
    expect(table.check).toMatch(/^az vm list-skus/);
  });
});

describe("what AKS leaves of a node", () => {
  it("is what Microsoft's two examples keep back, less what the machine keeps", () => {
    // 8 GB and 30 pods: 650 MB and 100 Mi. 4 GB and 70 pods: a quarter instead of 1450 MB.
    const keptBack = (memoryGib: number, maxPods: number) => {
      const size = { ...requireVmSize("Standard_D2s_v5"), memoryGib };
      return Math.round(
        (memoryGib * 1024 * 0.97 * mebibyte - allocatable(size, maxPods).memoryBytes) / mebibyte,
      );
    };
    expect(keptBack(8, 30)).toBe(650 + 100);
    expect(keptBack(4, 70)).toBe(1024 + 100);
  });

  it.each([
    ["Standard_D2as_v5", 30, 1_900, 7_196],
    ["Standard_E2s_v5", 30, 1_900, 15_142],
    ["Standard_E4s_v5", 30, 3_860, 31_034],
    ["Standard_E4s_v5", 250, 3_860, 26_634],
    ["Standard_E32ads_v5", 30, 31_580, 253_529],
  ])("of a %s with %i pods", (name, maxPods, cpuMillis, mebibytes) => {
    const left = allocatable(requireVmSize(name), maxPods);
    expect(left.cpuMillis).toBe(cpuMillis);
    expect(Math.floor(left.memoryBytes / mebibyte)).toBe(mebibytes);
  });

  it("is more than half, less than all, and less the more pods there may be", () => {
    fc.assert(
      fc.property(anySize, fc.integer({ min: 10, max: 249 }), (size, maxPods) => {
        const left = allocatable(size, maxPods);
        const all = size.memoryGib * 1024 * mebibyte;
        expect(left.memoryBytes).toBeGreaterThan(all / 2);
        expect(left.memoryBytes).toBeLessThan(all);
        expect(left.cpuMillis).toBeGreaterThan(500 * size.vcpus);
        expect(left.cpuMillis).toBeLessThan(1_000 * size.vcpus);
        expect(allocatable(size, maxPods + 1).memoryBytes).toBeLessThanOrEqual(left.memoryBytes);
      }),
    );
  });
});

describe("the disk of the operating system", () => {
  it.each([
    ["Standard_E4s_v5", { osDiskType: "Managed", osDiskSizeGB: 128 }],
    ["Standard_E4ads_v5", { osDiskType: "Ephemeral", osDiskSizeGB: 128 }],
    // 75 GiB of local disk.
    ["Standard_D2ads_v5", { osDiskType: "Ephemeral", osDiskSizeGB: 64 }],
    ["Standard_B2ms", { osDiskType: "Managed", osDiskSizeGB: 128 }],
  ])("of a %s", (name, disk) => {
    expect(osDisk(name)).toEqual(disk);
  });

  it("fits on the local disk where it is there", () => {
    for (const { name, localGib } of vmSizes) {
      const { osDiskType, osDiskSizeGB } = osDisk(name);
      expect(osDiskType === "Managed" || osDiskSizeGB <= localGib, name).toBe(true);
    }
  });
});

describe("nodes for AKS's own pods", () => {
  it("are not burstable, and not too small", () => {
    expect(systemPoolProblem(requireVmSize("Standard_B4ms"))).toBe(
      "Standard_B4ms is burstable, which AKS does not support for system nodes",
    );
    expect(systemPoolProblem(requireVmSize("Standard_D2s_v5"))).toBe(
      "Standard_D2s_v5 has 2 CPUs and 8 GiB; system nodes need 4 CPUs and 4 GiB",
    );
    expect(systemPoolProblem(requireVmSize("Standard_D4as_v5"))).toBeUndefined();
  });
});
