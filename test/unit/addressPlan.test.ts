import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressDemand, addressPlan } from "../../infra/azure/addressPlan";
import { addressText, contains, networkText, overlaps, parseNetwork } from "../../infra/azure/ipv4";

const demand: AddressDemand = {
  addressSpace: "10.40.0.0/22",
  podNetwork: "10.244.0.0/16",
  serviceNetwork: "10.96.0.0/16",
  nodes: 10,
};

describe("the address plan", () => {
  it("cuts subnets from the virtual network, as large as nodes, upgrades and endpoints need", () => {
    expect(addressPlan(demand)).toEqual({
      // Four times 10 nodes, the API server, and 5 addresses that Azure keeps.
      nodeSubnet: "10.40.0.0/26",
      endpointSubnet: "10.40.0.64/28",
      dnsServiceAddress: "10.96.0.10",
    });
  });

  it("refuses a virtual network that is too small, with one that is not", () => {
    expect(addressPlan({ ...demand, addressSpace: "10.40.0.0/28" })).toEqual({
      problems: [
        {
          setting: "addressSpace",
          problem:
            "has 16 addresses, too few for 10 nodes with room to grow (a /26) and private endpoints (a /28)",
          example: "10.40.0.0/25",
        },
      ],
    });
  });

  it("refuses networks that overlap, with one that is free", () => {
    expect(addressPlan({ ...demand, addressSpace: "10.0.0.0/8" })).toEqual({
      problems: [
        {
          setting: "podNetwork",
          problem: "overlaps addressSpace (10.0.0.0/8): packets would go to the wrong one",
          example: "172.20.0.0/16",
        },
        {
          setting: "serviceNetwork",
          problem: "overlaps addressSpace (10.0.0.0/8): packets would go to the wrong one",
          example: "172.20.0.0/16",
        },
      ],
    });
  });

  it("refuses a pod network with too few /24s", () => {
    expect(addressPlan({ ...demand, podNetwork: "10.244.0.0/21" })).toEqual({
      problems: [
        {
          setting: "podNetwork",
          problem: "has room for 8 nodes, a /24 each; 10 are needed with those of an upgrade",
          example: "10.244.0.0/20",
        },
      ],
    });
  });

  it("refuses what is no network, and services in one that AKS does not take", () => {
    expect(addressPlan({ ...demand, addressSpace: "10.40.0.1/22" })).toEqual({
      problems: [
        {
          setting: "addressSpace",
          problem: "is no network: address bits beyond the prefix must be 0",
          example: "10.40.0.0/22",
        },
      ],
    });
    expect(addressPlan({ ...demand, serviceNetwork: "10.96.0.0/28" })).toMatchObject({
      problems: [{ setting: "serviceNetwork", example: "10.96.0.0/24" }],
    });
  });

  const network = fc.tuple(fc.nat(2 ** 32 - 1), fc.integer({ min: 8, max: 30 })).map(([address, prefix]) => {
    const size = 2 ** (32 - prefix);
    return networkText({ first: Math.floor(address / size) * size, last: 0, prefix });
  });

  it("always gives subnets that are inside, apart and large enough, or says why not", () => {
    fc.assert(
      fc.property(
        fc.record({
          addressSpace: network,
          podNetwork: network,
          serviceNetwork: network,
          nodes: fc.integer({ min: 1, max: 1_010 }),
        }),
        (asked) => {
          const plan = addressPlan(asked);
          if ("problems" in plan) {
            expect(plan.problems.length).toBeGreaterThan(0);
            for (const { example } of plan.problems) expect(parseNetwork(example)).toBeDefined();
            return;
          }
          const [space, nodes, endpoints] = [asked.addressSpace, plan.nodeSubnet, plan.endpointSubnet].map(
            (text) => parseNetwork(text),
          );
          if (space === undefined || nodes === undefined || endpoints === undefined)
            throw new Error("no network");
          expect(contains(space, nodes) && contains(space, endpoints)).toBe(true);
          expect(overlaps(nodes, endpoints)).toBe(false);
          expect(nodes.last - nodes.first + 1 - 5).toBeGreaterThanOrEqual(asked.nodes);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("an IPv4 network", () => {
  it("reads as it is written", () => {
    fc.assert(
      fc.property(network4(), (text) => {
        const parsed = parseNetwork(text);
        expect(parsed && networkText(parsed)).toBe(text);
      }),
    );
    expect(addressText(2 ** 32 - 1)).toBe("255.255.255.255");
  });

  it.each(["10.0.0.0", "10.0.0.256/8", "10.0.0.0/33", "10.0.0.1/24", "fd00::/8", ""])("is not %j", (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });
});

function network4() {
  return fc
    .integer({ min: 0, max: 32 })
    .chain((prefix) =>
      fc
        .nat(2 ** Math.min(prefix, 31) - 1)
        .map((index) => networkText({ first: index * 2 ** (32 - prefix), last: 0, prefix })),
    );
}
