/** The logic app that starts or stops an AKS cluster on weekdays, in the workflow definition language. */

export type PowerChange = "start" | "stop";

/** AKS's REST API, "Managed Clusters - Start" and "- Stop". */
const apiVersion = "2025-09-01";

const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];

/**
 * @param hours times of day `HH:MM`, and a Windows time zone
 * @param clusterId resource id
 * @param identityId resource id of who may do it
 */
export function powerWorkflow(
  change: PowerChange,
  hours: { readonly start: string; readonly stop: string; readonly timeZone: string },
  clusterId: string,
  identityId: string,
): object {
  const [hour, minute] = hours[change].split(":").map(Number);
  return {
    $schema:
      "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
    contentVersion: "1.0.0.0",
    triggers: {
      weekdays: {
        type: "Recurrence",
        recurrence: {
          frequency: "Week",
          interval: 1,
          timeZone: hours.timeZone,
          // Without a beginning in the past it runs at once, when it is made.
          startTime: "2024-01-01T00:00:00",
          schedule: { weekDays: weekdays, hours: [hour], minutes: [minute] },
        },
      },
    },
    actions: {
      [change]: {
        type: "Http",
        // AKS answers 202 with an address to ask how far it is, which the role may not read.
        operationOptions: "DisableAsyncPattern",
        inputs: {
          method: "POST",
          uri: `https://management.azure.com${clusterId}/${change}?api-version=${apiVersion}`,
          authentication: {
            type: "ManagedServiceIdentity",
            identity: identityId,
            audience: "https://management.azure.com/",
          },
        },
      },
    },
  };
}
