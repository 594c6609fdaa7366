import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costSummary, estimate, renderCost } from "../../infra/azure/cost";
import { type CostSettings, costItems, runningShare } from "../../infra/azure/costItems";
import { naiveLayout } from "../../infra/azure/costSavings";
import { priceKeys } from "../../infra/azure/prices";
import { regionNames } from "../../infra/azure/regions";
import type { AksSettings, AzureSettings } from "../../infra/azure/settings";
import { vmSizes } from "../../infra/azure/vmSizes";

const cluster: CostSettings = { members: 3, dataVolume: "100Gi", walVolume: "32Gi" };

const kubernetes: AksSettings = {
  version: "1.35",
  tier: "Standard",
  privateApiServer: true,
  authorisedRanges: [],
  adminGroups: [],
  defender: true,
  maintenance: { day: "Sunday", startHour: 1, hours: 4 },
  systemPool: { size: "Standard_D4as_v5", min: 3, max: 5 },
  databasePool: { size: "Standard_E4ads_v5", nodes: 3, spot: false },
  workingHours: undefined,
};

const large: AzureSettings = {
  subscription: "11111111-1111-4111-8111-111111111111",
  tenant: "22222222-2222-4222-8222-222222222222",
  organisation: "acme",
  region: "westeurope",
  zones: ["1", "2", "3"],
  owner: "platform@example.com",
  costCentre: undefined,
  tags: {},
  existing: {
    resourceGroup: undefined,
    nodeSubnet: undefined,
    endpointSubnet: undefined,
    cluster: undefined,
  },
  network: {
    addressSpace: "10.40.0.0/22",
    podNetwork: "10.244.0.0/16",
    serviceNetwork: "10.96.0.0/16",
    privateEndpoints: true,
  },
  kubernetes,
  disks: { kind: "PremiumV1", iops: 3_000, throughput: 125 },
  registry: { sku: "Premium" },
  backups: {
    redundancy: "GZRS",
    softDeleteDays: 30,
    immutableDays: 14,
    coolAfterDays: 30,
    expectedGb: 300,
  },
  logs: { retentionDays: 90, dailyCapGb: 2 },
  budget: undefined,
  locks: true,
  protect: true,
  prices: {},
};

const workingHours = { start: "07:00", stop: "19:00", timeZone: "W. Europe Standard Time" };

const small: AzureSettings = {
  ...large,
  network: { ...large.network, privateEndpoints: false },
  kubernetes: {
    ...kubernetes,
    tier: "Free",
    privateApiServer: false,
    defender: false,
    systemPool: { size: "Standard_D4as_v5", min: 1, max: 2 },
    databasePool: { size: "Standard_D2as_v5", nodes: 3, spot: true },
    workingHours,
  },
  registry: { sku: "Basic" },
  backups: { ...large.backups, redundancy: "LRS", expectedGb: 20 },
  logs: { retentionDays: 30, dailyCapGb: 1 },
};

function withKubernetes(azure: AzureSettings, more: Partial<AksSettings>): AzureSettings {
  return { ...azure, kubernetes: { ...azure.kubernetes, ...more } };
}

function total(azure: AzureSettings, of: CostSettings = cluster): number {
  return estimate(azure, of).total;
}

const anySize = fc.constantFrom(...vmSizes.map(({ name }) => name));
const quantity = fc.integer({ min: 1, max: 8_000 }).map((gib) => `${gib}Gi`);

const anyCluster: fc.Arbitrary<CostSettings> = fc.record({
  members: fc.integer({ min: 1, max: 7 }),
  dataVolume: quantity,
  walVolume: quantity,
});

const anyAzure: fc.Arbitrary<AzureSettings> = fc
  .record({
    region: fc.constantFrom(...regionNames),
    tier: fc.constantFrom("Free", "Standard", "Premium"),
    isPrivate: fc.boolean(),
    defender: fc.boolean(),
    system: fc.record({ size: anySize, min: fc.integer({ min: 1, max: 5 }) }),
    databaseSize: anySize,
    nodes: fc.integer({ min: 1, max: 7 }),
    runsAlways: fc.boolean(),
    kind: fc.constantFrom("PremiumV1", "PremiumV2"),
    iops: fc.integer({ min: 3_000, max: 80_000 }),
    redundancy: fc.constantFrom("LRS", "ZRS", "GRS", "GZRS"),
    sku: fc.constantFrom("Basic", "Standard", "Premium"),
    hasCluster: fc.boolean(),
  })
  .map(
    (some): AzureSettings => ({
      ...large,
      region: some.region,
      network: { ...large.network, privateEndpoints: some.isPrivate },
      existing: {
        ...large.existing,
        cluster: some.hasCluster ? "/subscriptions/s/managedClusters/c" : undefined,
      },
      kubernetes: {
        ...kubernetes,
        tier: some.tier,
        privateApiServer: some.isPrivate,
        defender: some.defender,
        systemPool: { ...some.system, max: 5 },
        databasePool: { size: some.databaseSize, nodes: some.nodes, spot: false },
        workingHours: some.runsAlways ? undefined : workingHours,
      },
      disks: { ...large.disks, kind: some.kind, iops: some.iops },
      registry: { sku: some.sku },
      backups: { ...large.backups, redundancy: some.redundancy },
    }),
  );

describe("the estimate of a month", () => {
  it("of a large stack", () => {
    expect(renderCost(estimate(large, cluster), { amount: 2_000 })).toMatchInlineSnapshot(`
      "about 1,847 USD a month (budget 2,000: 92 %)
        Control plane, tier Standard                                    73.00  aks.Standard
        System nodes: 3 × Standard_D4as_v5                             455.52  vm.Standard_D4as_v5
        Database nodes: 3 × Standard_E4ads_v5                          692.04  vm.Standard_E4ads_v5
        System nodes' OS disks: 3 × P10                                 65.04  disk.P10
        Load balancer, for the way out                                  18.25  loadBalancer
        Public address, for the way out                                  3.65  publicIp
        Defender: 24 CPUs                                              164.86  defender
        Data volumes: 3 × 100Gi (P10)                                   65.04  disk.P10
        WAL volumes: 3 × 32Gi (P4)                                      17.42  disk.P4
        Private endpoints: backups, key vault, registry, API server     29.20  privateEndpoint
        Their DNS zones                                                  2.00  privateDnsZone
        Registry, Premium                                               50.69  registry.Premium
        Backups: 300 GB, GZRS                                           12.70  blob.hot.GZRS
        Audit logs: 2 GB a day, which is their limit                   181.89  logs.ingestion
        Audit logs kept beyond 31 days                                  15.34  logs.retention
        together                                                     1,846.64
      662 less than the naive layout, 26 %
        Memory-optimised nodes for the database                        485.39  naive: the same memory on general-purpose nodes
        Telemetry in columns                                           176.58  naive: the same history in rows; 27 % of the bytes are left of them
      list prices of 2026-08-20 in westeurope
      not in it: tax, traffic out of Azure, requests, nodes that the autoscaler adds, a second database while blue-green runs
      "
    `);
  });

  it("of a small one, stopped at night and on spot nodes", () => {
    expect(
      renderCost(estimate(small, { ...cluster, dataVolume: "20Gi", walVolume: "8Gi" }), undefined),
    ).toMatchInlineSnapshot(`
      "about 296 USD a month
        System nodes: 1 × Standard_D4as_v5, 261 hours           54.23  vm.Standard_D4as_v5
        Database nodes: 3 × Standard_D2as_v5, spot, 261 hours   15.03  vm.Standard_D2as_v5.spot
        System nodes' OS disks: 1 × P10                         21.68  disk.P10
        Database nodes' OS disks: 3 × P10                       65.04  disk.P10
        Load balancer, for the way out                          18.25  loadBalancer
        Public address, for the way out                          3.65  publicIp
        Data volumes: 3 × 20Gi (P4)                             17.42  disk.P4
        WAL volumes: 3 × 8Gi (P2)                                4.68  disk.P2
        Registry, Basic                                          5.07  registry.Basic
        Backups: 20 GB, LRS                                      0.36  blob.hot.LRS
        Audit logs: 1 GB a day, which is their limit            90.95  logs.ingestion
        together                                               296.36
      358 less than the naive layout, 55 %
        Stopped outside working hours                          124.67  naive: runs day and night
        Spot nodes for the database                            185.67  naive: the same nodes at the full price
        Telemetry in columns                                    47.62  naive: the same history in rows; 27 % of the bytes are left of them
        Backups with as many copies as needed                    0.36  naive: a second copy in another region
      list prices of 2026-08-20 in westeurope
      not in it: tax, traffic out of Azure, requests, nodes that the autoscaler adds, a second database while blue-green runs
      "
    `);
  });

  it("says what each line counts", () => {
    const [first] = costItems(small, cluster);
    expect(first).toMatchInlineSnapshot(`
      {
        "monthly": 54.23,
        "name": "System nodes: 1 × Standard_D4as_v5, 261 hours",
        "price": 0.208,
        "priceKey": "vm.Standard_D4as_v5",
        "quantity": 260.7142857142857,
      }
    `);
  });

  it("has one price a GiB, IOPS and MB/s of a Premium SSD v2", () => {
    const azure: AzureSettings = { ...large, disks: { kind: "PremiumV2", iops: 5_000, throughput: 200 } };
    const volumes = costItems(azure, cluster).filter(({ priceKey }) => priceKey.startsWith("diskV2"));
    expect(volumes.map(({ name, monthly }) => `${name}: ${monthly}`)).toMatchInlineSnapshot(`
      [
        "Data volumes: 3 × 100 GiB: 28.47",
        "Data volumes: 2000 IOPS more each: 35.04",
        "Data volumes: 75 MB/s more each: 10.68",
        "WAL volumes: 3 × 32 GiB: 9.11",
      ]
    `);
  });

  it("leaves out what was there already", () => {
    const existing = { ...large.existing, cluster: "/subscriptions/s/managedClusters/c" };
    const lines = costItems({ ...large, existing }, cluster).map(({ name }) => name);
    expect(lines).toMatchInlineSnapshot(`
      [
        "Data volumes: 3 × 100Gi (P10)",
        "WAL volumes: 3 × 32Gi (P4)",
        "Private endpoints: backups, key vault, registry",
        "Their DNS zones",
        "Registry, Premium",
        "Backups: 300 GB, GZRS",
        "Audit logs: 2 GB a day, which is their limit",
        "Audit logs kept beyond 31 days",
      ]
    `);
  });

  it("has nodes at the prices of the region, and says so", () => {
    const sweden = estimate({ ...large, region: "swedencentral" }, cluster);
    expect(sweden.pricedAs).toBe(
      "list prices of 2026-08-20 in westeurope, nodes as in swedencentral (× 0.884)",
    );
    expect(sweden.total).toBeLessThan(total(large));
    expect(estimate({ ...large, region: "denmarkeast" }, cluster).pricedAs).toContain(
      "what nodes cost in denmarkeast is not known",
    );
  });

  it("takes prices of one's own", () => {
    const own = estimate({ ...large, prices: { "vm.Standard_E4ads_v5": 0.2 } }, cluster);
    expect(total(large) - own.total).toBeCloseTo(3 * 730 * (0.316 - 0.2), 1);
    expect(own.pricedAs).toContain("1 of your own");
    expect(() => estimate({ ...large, prices: { "vm.E4": 0.2 } }, cluster)).toThrow("azure.prices.vm.E4");
  });

  it("is nothing where nothing costs anything", () => {
    const prices = Object.fromEntries(priceKeys.map((key) => [key, 0]));
    expect(estimate({ ...large, prices }, cluster)).toMatchObject({ total: 0, savedPercent: 0 });
  });
});

describe("the summary", () => {
  const cost = { ...estimate(large, cluster), total: 412.4 };

  it("compares with the budget", () => {
    expect(costSummary(cost, undefined)).toBe("about 412 USD a month");
    expect(costSummary(cost, { amount: 600 })).toBe("about 412 USD a month (budget 600: 69 %)");
  });

  it("says plainly when it is over", () => {
    expect(costSummary(cost, { amount: 300 })).toBe(
      "about 412 USD a month: 112 over the budget of 300 (137 %)",
    );
  });
});

describe("working hours", () => {
  it.each([
    [undefined, 1],
    [{ start: "07:00", stop: "19:00" }, 60 / 168],
    [{ start: "07:30", stop: "19:00" }, 57.5 / 168],
    [{ start: "22:00", stop: "06:00" }, 40 / 168],
    [{ start: "00:00", stop: "00:00" }, 120 / 168],
  ])("%j", (hours, share) => {
    expect(runningShare(hours && { ...hours, timeZone: "UTC" })).toBeCloseTo(share, 9);
  });
});

describe("whatever the settings are", () => {
  it("no line is negative, and lines and total agree", () => {
    fc.assert(
      fc.property(anyAzure, anyCluster, (azure, of) => {
        const { items, total } = estimate(azure, of);
        for (const { name, monthly, quantity, priceKey } of items) {
          expect(monthly, name).toBeGreaterThanOrEqual(0);
          expect(quantity, name).toBeGreaterThan(0);
          expect(priceKeys, name).toContain(priceKey);
        }
        expect(total).toBeCloseTo(
          items.reduce((sum, { monthly }) => sum + monthly, 0),
          6,
        );
      }),
    );
  });

  it("one member more never costs less", () => {
    fc.assert(
      fc.property(anyAzure, anyCluster, (azure, of) => {
        const { databasePool } = azure.kubernetes;
        const larger = withKubernetes(azure, {
          databasePool: { ...databasePool, nodes: databasePool.nodes + 1 },
        });
        expect(total(larger, { ...of, members: of.members + 1 })).toBeGreaterThan(total(azure, of));
      }),
    );
  });

  it("a larger volume never costs less", () => {
    fc.assert(
      fc.property(anyAzure, anyCluster, fc.integer({ min: 1, max: 8_000 }), (azure, of, more) => {
        const larger = { ...of, dataVolume: `${Number.parseInt(of.dataVolume, 10) + more}Gi` };
        expect(total(azure, larger)).toBeGreaterThanOrEqual(total(azure, of));
      }),
    );
  });

  it("spot nodes never cost more, nor does a cluster that is stopped at night", () => {
    const spotSizes = fc.constantFrom(...vmSizes.filter(({ spot }) => spot).map(({ name }) => name));
    fc.assert(
      fc.property(anyAzure, anyCluster, spotSizes, (azure, of, size) => {
        const { databasePool } = azure.kubernetes;
        const full = withKubernetes(azure, { databasePool: { ...databasePool, size, spot: false } });
        const spot = withKubernetes(azure, { databasePool: { ...databasePool, size, spot: true } });
        expect(total(spot, of)).toBeLessThanOrEqual(total(full, of));
        expect(total(withKubernetes(azure, { workingHours }), of)).toBeLessThanOrEqual(
          total(withKubernetes(azure, { workingHours: undefined }), of),
        );
      }),
    );
  });

  it("the naive layout costs more by exactly what each saving says", () => {
    fc.assert(
      fc.property(anyAzure, anyCluster, (azure, of) => {
        const naive = naiveLayout(azure, of);
        const saved = naive.savings.reduce((sum, { monthly }) => sum + monthly, 0);
        expect(naive.total - total(azure, of)).toBeCloseTo(saved, 2);
        for (const { name, monthly } of naive.savings) expect(monthly, name).toBeGreaterThan(0);
      }),
    );
  });
});

describe("savings against the naive layout", () => {
  const names = (azure: AzureSettings, of = cluster) =>
    naiveLayout(azure, of).savings.map(({ name }) => name);

  it("are only what the stack does", () => {
    expect(names(small)).not.toContain("Memory-optimised nodes for the database");
    expect(names(large)).not.toContain("Spot nodes for the database");
    expect(names(large)).not.toContain("Stopped outside working hours");
  });

  it("have no safety in them that costs more", () => {
    // GZRS is dearer than the GRS of the naive layout.
    expect(names(large)).not.toContain("Backups with as many copies as needed");
    expect(names(small)).toContain("Backups with as many copies as needed");
  });

  it("compare no price of one's own with a list price", () => {
    const own = { ...large, prices: { "vm.Standard_E4ads_v5": 0.1 } };
    expect(names(own)).not.toContain("Memory-optimised nodes for the database");
  });

  it("do without disks that nobody sells", () => {
    const huge: AzureSettings = { ...large, disks: { ...large.disks, kind: "PremiumV2" } };
    expect(names(huge, { ...cluster, dataVolume: "30Ti" })).not.toContain("Telemetry in columns");
    expect(names(huge, { ...cluster, dataVolume: "60Ti" })).not.toContain("Premium SSD v2");
  });

  it("that fall short of the aim are shown as they are", () => {
    const plain = withKubernetes(large, {
      databasePool: { size: "Standard_D8ads_v5", nodes: 3, spot: false },
    });
    const text = renderCost(estimate(plain, { ...cluster, dataVolume: "20Gi" }), undefined);
    expect(text).toMatch(/less than the naive layout, \d % \(aimed at: 20\)/);
  });

  it("are nothing where there is none", () => {
    const existing = { ...large.existing, cluster: "/subscriptions/s/managedClusters/c" };
    // On this disk the same history in rows fits, too.
    const text = renderCost(estimate({ ...large, existing }, { ...cluster, dataVolume: "1Gi" }), undefined);
    expect(text).toContain("nothing is saved against the naive layout");
  });
});
