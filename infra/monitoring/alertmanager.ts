// infra/monitoring/alertmanager.ts - Alertmanager: who is told of what.
import * as pulumi from "@pulumi/pulumi";
import { digest } from "../database/agentFiles";
import { secretVolume } from "../database/podParts";
import { alertmanagerPaths, notifySecrets, renderAlertmanagerConfig } from "./alertmanagerConfig";
import { monitoringPorts, monitoringServices } from "./names";
import { answers, container, MonitoringPlace } from "./place";
import type { MonitoringSettings } from "./settings";

export interface AlertmanagerArgs {
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  settings: MonitoringSettings;
}

export class Alertmanager extends pulumi.ComponentResource {
  constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:monitoring:Alertmanager", name, {}, opts);
    const { notify, images } = args.settings;
    const place = new MonitoringPlace(this, args.namespace);
    const config = renderAlertmanagerConfig(notify);
    const { webhook, teams, email } = notify;
    const secrets = place.secret("alertmanager-secrets", {
      ...(webhook !== undefined && { [notifySecrets.webhook]: pulumi.secret(webhook) }),
      ...(teams !== undefined && { [notifySecrets.teams]: pulumi.secret(teams) }),
      ...(email?.by?.login && { [notifySecrets.email]: pulumi.secret(email.by.login.password) }),
    });
    const { alertmanager: port } = monitoringPorts;
    place.deployment(
      monitoringServices.alertmanager,
      {
        serviceAccountName: args.accountName,
        automountServiceAccountToken: false,
        containers: [
          container({
            name: "alertmanager",
            image: images.alertmanager,
            args: [
              `--config.file=${alertmanagerPaths.config}/alertmanager.yml`,
              `--storage.path=${alertmanagerPaths.data}`,
              `--web.listen-address=:${port}`,
              // There is one: no others to look for.
              "--cluster.listen-address=",
            ],
            ports: [{ name: "http", containerPort: port }],
            resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
            readinessProbe: { ...answers("/-/ready", port), periodSeconds: 2 },
            livenessProbe: answers("/-/healthy", port),
            volumeMounts: [
              { name: "config", mountPath: alertmanagerPaths.config, readOnly: true },
              { name: "secrets", mountPath: alertmanagerPaths.secrets, readOnly: true },
              { name: "data", mountPath: alertmanagerPaths.data },
            ],
          }),
        ],
        volumes: [
          { name: "config", configMap: { name: "alertmanager-config" } },
          secretVolume("secrets", "alertmanager-secrets"),
          // Silences are lost with the pod's node. Prometheus tells of every alert again by itself.
          { name: "data", emptyDir: { sizeLimit: "64Mi" } },
        ],
      },
      {
        dependsOn: [place.configMap("alertmanager-config", { "alertmanager.yml": config }), secrets],
        startsWith: { "ms5.io/start": digest(config) },
      },
    );
    place.service(monitoringServices.alertmanager, { http: port });
    this.registerOutputs({});
  }
}
