// The rules of alerts, where whichever Prometheus there is can mount or read them.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { backupAlerts } from "./backupAlerts";
import { renderRules } from "./rulesFile";

export interface AlertRulesArgs {
  readonly namespace: pulumi.Input<string>;
}

/** Only for a database with backups: without them an alert would say for ever that nobody tells of them. */
export class AlertRules extends pulumi.ComponentResource {
  constructor(name: string, { namespace }: AlertRulesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:monitoring:AlertRules", name, {}, opts);
    new kubernetes.core.v1.ConfigMap(
      "alert-rules",
      {
        metadata: { name: "alert-rules", namespace },
        data: { "backups.yml": renderRules([backupAlerts]) },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
