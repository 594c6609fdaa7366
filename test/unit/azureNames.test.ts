import { describe, expect, it } from "vitest";
import { azureNames, sharedNames, stableUuid, tooLong } from "../../infra/azure/names";

describe("names in Azure", () => {
  it("say what a thing is, whose, and of which stack", () => {
    expect(azureNames("acme", "prod")).toMatchInlineSnapshot(`
      {
        "backupAccount": "stacmems5prodbak",
        "budget": "budget-acme-ms5-prod",
        "cluster": "aks-acme-ms5-prod",
        "keyVault": "kv-acme-ms5-prod",
        "logs": "log-acme-ms5-prod",
        "network": "vnet-acme-ms5-prod",
        "nodeResourceGroup": "rg-acme-ms5-prod-nodes",
        "registry": "cracmems5prod",
        "resourceGroup": "rg-acme-ms5-prod",
        "securityGroup": "nsg-acme-ms5-prod",
        "workingHours": "logic-acme-ms5-prod",
      }
    `);
  });

  it("are refused when Azure would refuse them for their length", () => {
    expect(tooLong(azureNames("acme", "staging"))).toEqual([]);
    expect(tooLong(azureNames("acmefoos", "prod-europe"))).toEqual([
      { what: "keyVault", name: "kv-acmefoos-ms5-prod-europe", longest: 24 },
      { what: "backupAccount", name: "stacmefoosms5prodeuropebak", longest: 24 },
    ]);
  });

  it("are the same for two stacks where Azure allows no hyphens", () => {
    expect(sharedNames(azureNames("acme", "prod-eu"), azureNames("acme", "prodeu"))).toEqual([
      "cracmems5prodeu",
      "stacmems5prodeubak",
    ]);
    expect(sharedNames(azureNames("acme", "dev"), azureNames("acme", "prod"))).toEqual([]);
  });
});

describe("a stable UUID", () => {
  it("is that of RFC 9562 for a name in the namespace of URLs", () => {
    // uuid.uuid5(uuid.NAMESPACE_URL, "http://www.example.com/") in Python.
    expect(stableUuid("http://www.example.com/")).toBe("fcde3c85-2270-590f-9e7c-ee003d65e0e2");
  });
});
