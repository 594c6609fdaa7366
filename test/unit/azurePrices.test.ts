import fc from "fast-check";
import { describe, expect, it } from "vitest";
import table from "../../infra/azure/data/prices.json";
import { premiumTier, premiumTiers } from "../../infra/azure/premiumTiers";
import { nodeFactor, periods, priceKeys, pricesOf, unknownPrices } from "../../infra/azure/prices";
import { regionNames } from "../../infra/azure/regions";
import { vmSizes } from "../../infra/azure/vmSizes";
import { UserError } from "../../infra/errors";
import { byMake } from "../support/vmMakes";

const gibibyte = 2 ** 30;
const listed = pricesOf({ region: "westeurope", prices: {} });
const price = (key: string) => listed(key).price;

describe("the table of prices", () => {
  it("is dated, with where it is from and how to see today's", () => {
    expect(table.date).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(table.source).toContain("Azure Retail Prices API");
    expect(table.note).toContain("List prices");
    expect(table.check).toMatch(/^curl .*prices\.azure\.com/);
    expect(table.currency).toBe("USD");
    expect(regionNames).toContain(table.region);
  });

  it("has a price for every size, and a lower one as spot where Azure sells it so", () => {
    for (const { name, spot } of vmSizes) {
      expect(priceKeys, name).toContain(`vm.${name}`);
      expect(priceKeys.includes(`vm.${name}.spot`), name).toBe(spot);
      if (spot) expect(price(`vm.${name}.spot`), name).toBeLessThan(price(`vm.${name}`));
    }
  });

  it("has no price of a size that is not in the table of sizes", () => {
    const sizes = new Set(vmSizes.map(({ name }) => name));
    const priced = priceKeys.filter((key) => key.startsWith("vm.")).map((key) => key.split(".")[1] ?? "");
    expect(priced.filter((name) => !sizes.has(name))).toEqual([]);
  });

  it("has the same price a CPU for all sizes of a make: one with a Windows licence in it would stand out", () => {
    for (const [make, sizes] of byMake()) {
      const each = sizes.map(({ name, vcpus }) => price(`vm.${name}`) / vcpus);
      expect(Math.max(...each) / Math.min(...each), make).toBeLessThan(1.02);
    }
  });

  it("has a positive price for every key", () => {
    for (const key of priceKeys) {
      expect(price(key), key).toBeGreaterThan(0);
      expect(Object.keys(periods), key).toContain(listed(key).per);
    }
  });

  it("knows nodes elsewhere by what they cost against here, in all but the newest regions", () => {
    expect(Object.keys(table.nodeFactors).filter((name) => !regionNames.includes(name))).toEqual([]);
    expect(regionNames.filter((name) => nodeFactor(name) === undefined)).toEqual(["denmarkeast"]);
    expect(nodeFactor("westeurope")).toBe(1);
    for (const factor of Object.values(table.nodeFactors)) {
      expect(factor).toBeGreaterThan(0.5);
      expect(factor).toBeLessThan(2);
    }
  });
});

describe("prices of a stack", () => {
  it("are list prices, with nodes as in its region", () => {
    const sweden = pricesOf({ region: "swedencentral", prices: {} });
    expect(sweden("vm.Standard_E4s_v5").price).toBeCloseTo(0.304 * 0.884, 6);
    expect(sweden("disk.P10").price).toBe(21.68);
    expect(pricesOf({ region: "denmarkeast", prices: {} })("vm.Standard_E4s_v5").price).toBe(0.304);
  });

  it("are its own where it has some, whatever the region", () => {
    const own = pricesOf({ region: "swedencentral", prices: { "vm.Standard_E4s_v5": 0.2, "disk.P10": 0 } });
    expect(own("vm.Standard_E4s_v5")).toEqual({ price: 0.2, unit: "node", per: "hour" });
    expect(own("disk.P10").price).toBe(0);
    expect(own("disk.P15").price).toBeCloseTo(41.81, 2);
  });

  it("that would change nothing are refused, with keys that look like them", () => {
    const prices = { "vm.Standard_E4s_v4": 0.2, "disk.P10": 20 };
    expect(unknownPrices(prices)).toMatchInlineSnapshot(`
      [
        {
          "key": "vm.Standard_E4s_v4",
          "near": [
            "vm.Standard_E4s_v5",
            "vm.Standard_B4s_v2",
            "vm.Standard_D4s_v5",
            "vm.Standard_E2s_v5",
            "vm.Standard_E4as_v5",
          ],
        },
      ]
    `);
    expect(() => pricesOf({ region: "westeurope", prices })).toThrow(UserError);
    expect(() => pricesOf({ region: "westeurope", prices })).toThrow(
      "azure.prices.vm.Standard_E4s_v4: there is no such price",
    );
  });

  it("are asked for by keys that are there", () => {
    expect(() => listed("vm.Standard_B2ms.spot")).toThrow("has no price vm.Standard_B2ms.spot");
  });
});

describe("the tier of a Premium SSD", () => {
  it.each([
    [1, "P1"],
    [8, "P2"],
    [20, "P4"],
    [32, "P4"],
    [100, "P10"],
    [128, "P10"],
    [129, "P15"],
    [32_767, "P80"],
  ])("of %i GiB", (gib, tier) => {
    expect(premiumTier(gib * gibibyte)).toBe(tier);
  });

  it("is refused for what is larger than all of them", () => {
    expect(() => premiumTier(32_768 * gibibyte)).toThrow(
      "a volume of 32768Gi is larger than any Premium SSD",
    );
  });

  it("is the smallest that holds the volume", () => {
    const sizes = new Map(premiumTiers);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32_767 * gibibyte }), (bytes) => {
        const tier = premiumTier(bytes);
        const below = [...sizes.values()].filter((gib) => gib < (sizes.get(tier) ?? 0));
        expect(bytes).toBeLessThanOrEqual((sizes.get(tier) ?? 0) * gibibyte);
        expect(bytes).toBeGreaterThan(Math.max(0, ...below) * gibibyte);
      }),
    );
  });

  it("has a price, and a larger one a higher price", () => {
    const costs = premiumTiers.map(([tier]) => price(`disk.${tier}`));
    expect(costs).toEqual([...costs].sort((one, other) => one - other));
  });
});
