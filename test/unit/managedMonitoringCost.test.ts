import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ingestedSamples, managedCharges } from "../../infra/azure/managedCost";
import { priceKeys, pricesOf } from "../../infra/azure/prices";

const args = {
  monitoring: { place: "azure", grafana: true },
  members: 3,
  nodes: 6,
  share: 1,
} as const;

const priceOf = pricesOf({ region: "westeurope", prices: {} });

describe("what managed monitoring costs in a month", () => {
  it("is mostly Grafana", () => {
    const hours = { hour: 730, day: 365 / 12, month: 1, use: 1 };
    const lines = managedCharges(args).map(({ name, priceKey, units }) => {
      const { price, per } = priceOf(priceKey);
      return `${name}: ${(units * price * hours[per]).toFixed(2)}`;
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        "Managed Prometheus: about 399 million samples: 6.39",
        "Managed Prometheus: what rules read: 1.97",
        "Managed Grafana, Standard: 50.37",
        "Managed Grafana: 3 people a month: 18.00",
      ]
    `);
  });

  it("is nothing where our own pods watch, and less without Grafana", () => {
    expect(managedCharges({ ...args, monitoring: { place: "cluster", grafana: true } })).toEqual([]);
    const without = managedCharges({ ...args, monitoring: { place: "azure", grafana: false } });
    expect(without.map(({ priceKey }) => priceKey)).toEqual(["metrics.ingestion", "metrics.queries"]);
  });

  it("has a price for each line", () => {
    for (const { priceKey } of managedCharges(args)) expect(priceKeys).toContain(priceKey);
  });

  it("grows with members and nodes, and falls when the cluster is stopped at night", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        (members, nodes, share) => {
          const samples = ingestedSamples({ members, nodes, share: 1 });
          expect(ingestedSamples({ members: members + 1, nodes, share: 1 })).toBeGreaterThan(samples);
          expect(ingestedSamples({ members, nodes: nodes + 1, share: 1 })).toBeGreaterThan(samples);
          expect(ingestedSamples({ members, nodes, share })).toBeLessThan(samples);
        },
      ),
    );
  });

  it("counts each series once an interval", () => {
    // One node more: 270 series each 30 s for 730 hours.
    const more = ingestedSamples({ ...args, nodes: 7 }) - ingestedSamples(args);
    expect(more).toBeCloseTo((270 * 730 * 3_600) / 30, 3);
  });
});
