import fc from "fast-check";
import { describe, expect, it } from "vitest";
import table from "../../infra/azure/data/regions.json";
import { nearest } from "../../infra/azure/nearest";
import { findRegion, type Region, regionNames, zonalRegionsNear } from "../../infra/azure/regions";

function region(name: string): Region {
  const found = findRegion(name);
  if (found === undefined) throw new Error(`no region ${name}`);
  return found;
}

describe("regions", () => {
  it("are looked up as Azure writes them", () => {
    expect(findRegion("westeurope")).toMatchInlineSnapshot(`
      {
        "at": [
          52.37,
          4.9,
        ],
        "geography": "Europe",
        "name": "westeurope",
        "pair": "northeurope",
        "zones": 3,
      }
    `);
    expect(findRegion("West Europe")).toBeUndefined();
    expect(findRegion("constructor")).toBeUndefined();
  });

  it("are dated, with where they are from and how to see today's", () => {
    expect(table.date).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(table.source).not.toBe("");
    expect(table.check).toMatch(/^az account list-locations/);
  });

  it("are enough of them, each once and somewhere on the globe", () => {
    expect(regionNames.length).toBeGreaterThanOrEqual(50);
    expect(new Set(regionNames).size).toBe(regionNames.length);
    for (const name of regionNames) {
      const [latitude, longitude] = region(name).at;
      expect(name).toMatch(/^[a-z]+\d?$/);
      expect(Math.abs(latitude)).toBeLessThanOrEqual(70);
      expect(Math.abs(longitude)).toBeLessThanOrEqual(180);
      // Nothing stands at 0, 0 but a number that could not be read.
      expect([latitude, longitude]).not.toContain(0);
    }
  });

  it("have pairs that exist, nearly all of them mutual and in the same geography", () => {
    const paired = regionNames.map(region).filter(({ pair }) => pair !== undefined);
    const odd = paired.filter(({ name, geography, pair }) => {
      const other = region(pair ?? "");
      return other.pair !== name || other.geography !== geography;
    });
    expect(odd.map(({ name, pair }) => `${name} -> ${pair}`)).toMatchInlineSnapshot(`
      [
        "brazilsouth -> southcentralus",
        "brazilsoutheast -> brazilsouth",
        "westindia -> southindia",
        "westus3 -> eastus",
      ]
    `);
  });

  it("have three zones where factories of ours may be", () => {
    expect(
      ["westeurope", "northeurope", "germanywestcentral", "swedencentral", "eastus2"].map(
        (name) => region(name).zones,
      ),
    ).toEqual([3, 3, 3, 3, 3]);
    expect(region("germanynorth").zones).toBe(0);
  });
});

describe("regions with zones instead of one without", () => {
  it.each([
    ["germanynorth", ["germanywestcentral", "westeurope", "denmarkeast"]],
    ["westus", ["westus3", "westus2", "southcentralus"]],
    ["norwaywest", ["norwayeast", "denmarkeast", "swedencentral"]],
    ["canadaeast", ["canadacentral", "eastus", "eastus2"]],
  ])("of %s", (name, others) => {
    expect(zonalRegionsNear(region(name))).toEqual(others);
  });

  it("are never the region itself nor one without zones, and those of the same geography come first", () => {
    fc.assert(
      fc.property(fc.constantFrom(...regionNames), fc.integer({ min: 1, max: 60 }), (name, count) => {
        const near = zonalRegionsNear(region(name), count).map(region);
        const all = regionNames.filter((other) => other !== name && region(other).zones === 3);
        expect(near.length).toBe(Math.min(count, all.length));
        expect(near.map((other) => other.name)).not.toContain(name);
        expect(near.every(({ zones }) => zones === 3)).toBe(true);
        const abroad = near.map(({ geography }) => geography !== region(name).geography);
        expect(abroad).toEqual([...abroad].sort());
      }),
    );
  });
});

describe("what was probably meant", () => {
  it("is what takes the fewest typing mistakes", () => {
    expect(nearest("westeurop", regionNames, 1)).toEqual(["westeurope"]);
    expect(nearest("West Europe", regionNames, 1)).toEqual(["westeurope"]);
    expect(nearest("germanywest", regionNames, 2)).toEqual(["germanywestcentral", "germanynorth"]);
    expect(nearest("", ["ab", "a"], 2)).toEqual(["a", "ab"]);
    expect(nearest("x", [], 2)).toEqual([]);
  });

  it("is the text itself if it is there", () => {
    fc.assert(
      fc.property(fc.constantFrom(...regionNames), (name) => {
        expect(nearest(name, regionNames, 1)).toEqual([name]);
      }),
    );
  });
});
