import { describe, expect, it } from "vitest";
import { powerWorkflow } from "../../infra/azure/powerWorkflow";

const hours = { start: "07:00", stop: "19:30", timeZone: "W. Europe Standard Time" };
const cluster = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks";

describe("working hours", () => {
  it("end at their time, by one call to Azure as an identity of their own", () => {
    expect(powerWorkflow("stop", hours, cluster, "/subscriptions/1/…/id-power")).toMatchInlineSnapshot(`
      {
        "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
        "actions": {
          "stop": {
            "inputs": {
              "authentication": {
                "audience": "https://management.azure.com/",
                "identity": "/subscriptions/1/…/id-power",
                "type": "ManagedServiceIdentity",
              },
              "method": "POST",
              "uri": "https://management.azure.com/subscriptions/1/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks/stop?api-version=2025-09-01",
            },
            "operationOptions": "DisableAsyncPattern",
            "type": "Http",
          },
        },
        "contentVersion": "1.0.0.0",
        "triggers": {
          "weekdays": {
            "recurrence": {
              "frequency": "Week",
              "interval": 1,
              "schedule": {
                "hours": [
                  19,
                ],
                "minutes": [
                  30,
                ],
                "weekDays": [
                  "Monday",
                  "Tuesday",
                  "Wednesday",
                  "Thursday",
                  "Friday",
                ],
              },
              "startTime": "2024-01-01T00:00:00",
              "timeZone": "W. Europe Standard Time",
            },
            "type": "Recurrence",
          },
        },
      }
    `);
  });

  it("begin at theirs", () => {
    expect(powerWorkflow("start", hours, cluster, "id")).toMatchObject({
      triggers: { weekdays: { recurrence: { schedule: { hours: [7], minutes: [0] } } } },
      actions: { start: { inputs: { uri: expect.stringContaining("/managedClusters/aks/start?") } } },
    });
  });
});
