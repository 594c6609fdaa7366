import { describe, expect, it } from "vitest";
import { checkVersionSupport } from "../../infra/azure/versionSupport";
import { loadConfig, type StackConfig } from "../../infra/config";
import { UserError } from "../../infra/errors";
import { azureNeeds, publicAzureNeeds } from "../support/azureConfig";

interface Config {
  readonly stack?: string;
  readonly azure?: object;
  readonly cluster?: object;
}

function load({ stack = "prod", azure = {}, cluster = {} }: Config): StackConfig {
  const needs = stack === "dev" ? publicAzureNeeds : azureNeeds;
  return loadConfig(stack, {
    ...(stack.includes("-") && { "ms5-timescale:environment": "prod" }),
    "ms5-timescale:azure": JSON.stringify({ ...needs, ...azure }),
    "ms5-timescale:cluster": JSON.stringify(cluster),
  });
}

/** The complaint and the command that mends it. */
function refusal(config: Config): string {
  try {
    load(config);
  } catch (error) {
    if (error instanceof UserError) return error.message.split("\n").slice(1).join("\n");
    throw error;
  }
  return "accepted";
}

const kubernetes = (own: object) => ({ kubernetes: { ...azureNeeds.kubernetes, ...own } });

describe("a platform in Azure is refused", () => {
  it.each<[string, Config]>([
    ["in a region without three zones", { azure: { region: "westcentralus" } }],
    ["in a region nobody knows", { azure: { region: "westeuropa" } }],
    ["with networks that overlap", { azure: { network: { addressSpace: "10.244.0.0/20" } } }],
    ["with too few addresses for its nodes", { azure: { network: { addressSpace: "10.40.0.0/28" } } }],
    ["with too few addresses for the pods", { azure: { network: { podNetwork: "10.244.0.0/22" } } }],
    ["with a size nobody knows", { azure: kubernetes({ databasePool: { size: "Standard_E4s_v55" } }) }],
    ["with nodes that a member does not fit on", { cluster: { memory: "31Gi" } }],
    ["with nodes that are too slow for a member", { cluster: { cpu: "4" } }],
    [
      "with system nodes that AKS does not want",
      { azure: kubernetes({ systemPool: { size: "Standard_B2ms" } }) },
    ],
    ["with fewer nodes at most than at least", { azure: kubernetes({ systemPool: { min: 4, max: 3 } }) }],
    ["with a name that gets too long", { stack: "production-europe" }],
    ["without anyone who may administrate it", { azure: { kubernetes: {} } }],
    ["with an API server open to everybody", { azure: kubernetes({ privateApiServer: false }) }],
    [
      "with an API server open to the whole internet",
      { azure: kubernetes({ privateApiServer: false, authorisedRanges: ["0.0.0.0/0"] }) },
    ],
    [
      "with half a network",
      {
        azure: {
          existing: {
            nodeSubnet:
              "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/n",
          },
        },
      },
    ],
    [
      "with a resource group of another subscription",
      {
        azure: {
          existing: {
            resourceGroup: "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/rg",
          },
        },
      },
    ],
    ["with backups in a second region that there is not", { azure: { region: "qatarcentral" } }],
    ["with a price that does not exist", { azure: { prices: { "vm.Standard_E4ds": 1 } } }],
    ["in production without a budget", { azure: { budget: {} } }],
    ["in production without protection", { azure: { protect: false, locks: false } }],
    [
      "in production on nodes that may be taken away",
      { azure: kubernetes({ databasePool: { spot: true } }) },
    ],
    ["in production at night", { azure: kubernetes({ workingHours: { start: "06:00" } }) }],
    ["in production with two members", { cluster: { members: 2 } }],
  ])("%s", (_what, config) => {
    expect(refusal(config)).toMatchSnapshot();
  });
});

describe("what is accepted", () => {
  it("is each environment as it comes", () => {
    for (const stack of ["dev", "staging", "prod"]) expect(refusal({ stack }), stack).toBe("accepted");
  });

  it("is one zone where there are none, and a trial without protection", () => {
    const azure = { region: "westcentralus", zones: ["1"], backups: { redundancy: "LRS" } };
    expect(refusal({ stack: "dev", azure })).toBe("accepted");
    expect(refusal({ stack: "staging", azure: { protect: false, budget: {} } })).toBe("accepted");
  });

  it("is what is there already", () => {
    const group = `/subscriptions/${azureNeeds.subscription}/resourceGroups/rg`;
    const subnet = (name: string) => `${group}/providers/Microsoft.Network/virtualNetworks/v/subnets/${name}`;
    const existing = { nodeSubnet: subnet("n"), endpointSubnet: subnet("e") };
    const cluster = `${group}/providers/Microsoft.ContainerService/managedClusters/aks`;
    expect(refusal({ azure: { existing: { ...existing, resourceGroup: group, cluster } } })).toBe("accepted");
    expect(refusal({ azure: { existing: { cluster } } })).toContain("azure.existing.nodeSubnet");
    expect(refusal({ azure: { existing: { ...existing, resourceGroup: subnet("n") } } })).toContain(
      "the resource id of one of resourceGroups",
    );
  });
});

describe("working hours", () => {
  const hours = (stack: string, workingHours?: object) =>
    load({
      stack,
      azure: {
        kubernetes: {
          ...publicAzureNeeds.kubernetes,
          authorisedRanges: stack === "dev" ? ["198.51.100.0/24"] : [],
          ...(workingHours && { workingHours }),
        },
      },
    }).azure?.kubernetes.workingHours;

  it("are dev's by default, can be moved, and can be left out", () => {
    expect(hours("dev")).toEqual({ start: "07:00", stop: "19:00", timeZone: "W. Europe Standard Time" });
    expect(hours("dev", { start: "05:30" })).toMatchObject({ start: "05:30", stop: "19:00" });
    expect(hours("dev", { always: true })).toBeUndefined();
    expect(hours("staging")).toBeUndefined();
    expect(hours("staging", { stop: "20:00" })).toMatchObject({ start: "07:00", stop: "20:00" });
  });
});

describe("the version of Kubernetes", () => {
  const on = (day: string, version: string) =>
    checkVersionSupport(load({ azure: kubernetes({ version }) }), new Date(`${day}T12:00:00Z`));

  it("is taken while AKS supports it", () => {
    expect(on("2026-11-21", "1.35")).toBeUndefined();
  });

  it("is warned of for a while when it does not any more: somebody may have to repair something", () => {
    expect(on("2027-04-20", "1.35")).toContain(
      'azure.kubernetes.version is "1.35"; has no community support since 2027-03-31',
    );
  });

  it.each([
    ["2027-07-30", "1.35"],
    ["2026-11-21", "1.20"],
    ["2026-11-21", "1.99"],
  ])("is refused on %s when it is %s", (day, version) => {
    expect(() => on(day, version)).toThrow(
      /azure\.kubernetes\.version is "1\.\d+"; .*\n.*pulumi config (set|rm)/,
    );
  });
});
