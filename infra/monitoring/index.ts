// infra/monitoring/index.ts - what watches the database: exporters, Prometheus with its rules, Alertmanager, Grafana with
// its dashboards, and the API with the status page.
import * as pulumi from "@pulumi/pulumi";
import { ManagedScraping } from "../azure/managedScraping";
import type { StackConfig } from "../config";
import type { Database } from "../database";
import { parseBytes } from "../database/quantity";
import type { NamespaceKey } from "../kubernetes/namespaceNames";
import type { Kubernetes } from "../kubernetes/provider";
import { DiscoveryAccount, PowerlessAccount } from "../kubernetes/serviceAccount";
import type { Schema } from "../schema";
import { Alertmanager } from "./alertmanager";
import { MonitoringApi } from "./api";
import { grafanaFiles } from "./dashboards/provisioning";
import { Exporter } from "./exporter";
import { Grafana, prometheusUrl } from "./grafana";
import { monitoringServices } from "./names";
import { NodeExporter } from "./nodeExporter";
import { Programs } from "./programs";
import { Prometheus } from "./prometheus";
import { ruleFiles } from "./ruleFiles";
import { type RuleSettings, ruleSettings } from "./ruleSettings";
import type { MonitoringSettings } from "./settings";

export interface MonitoringArgs {
  config: StackConfig;
  settings: MonitoringSettings;
  database: Database;
  databaseName: string;
  /** Of each member's volume. */
  dataVolumeBytes: number;
  /** What there is to alert on. */
  rules: RuleSettings;
  passwords: Schema["roles"]["passwords"];
}

export class Monitoring extends pulumi.ComponentResource {
  constructor(
    name: string,
    private readonly args: MonitoringArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:monitoring:Monitoring", name, {}, opts);
    this.exporters();
    if (args.settings.place === "cluster") this.own();
    else this.managed();
    this.registerOutputs({});
  }

  /** What there is to see, whoever collects it. */
  private exporters(): void {
    const { settings, database, databaseName, passwords } = this.args;
    const { namespace } = this;
    const programs = new Programs("programs", { namespace }, this.child);
    const common = { namespace, cluster: database.address, database: databaseName, settings, programs };
    new Exporter(
      "exporter",
      { ...common, accountName: this.account("exporter"), password: passwords.monitor },
      this.child,
    );
    new MonitoringApi(
      "api",
      {
        ...common,
        accountName: this.account(monitoringServices.api),
        certificates: database.certificates,
        dataVolumeBytes: this.args.dataVolumeBytes,
        passwords,
      },
      this.child,
    );
    const nodes = database.namespaces.name("nodes");
    const nodeAccount = new PowerlessAccount("node-exporter", { namespace: nodes }, this.child);
    new NodeExporter(
      "node-exporter",
      { namespace: nodes, accountName: nodeAccount.accountName, image: settings.images.nodeExporter },
      this.child,
    );
  }

  /** Azure's agent collects; rules, receivers and Grafana are made with the platform (infra/azure/managedMonitoring.ts). */
  private managed(): void {
    const { database, databaseName } = this.args;
    new ManagedScraping(
      "managed-scraping",
      { cluster: database.address, database: databaseName, caPem: database.caPem },
      this.child,
    );
  }

  /** Who collects, tells and shows. */
  private own(): void {
    const { config, settings, database, databaseName } = this.args;
    const { namespace } = this;
    const { rules } = this.args;
    const looksInto = (key: NamespaceKey) => database.namespaces.name(key);
    const account = new DiscoveryAccount(
      monitoringServices.prometheus,
      { namespace, looksInto: { pooler: looksInto("pooler"), nodes: looksInto("nodes") } },
      this.child,
    );
    new Prometheus(
      "prometheus",
      {
        namespace,
        accountName: account.accountName,
        stack: config.stack,
        environment: config.environment,
        cluster: database.address,
        database: databaseName,
        settings,
        rules: ruleFiles(rules),
      },
      this.child,
    );
    new Alertmanager(
      "alertmanager",
      { namespace, accountName: this.account(monitoringServices.alertmanager), settings },
      this.child,
    );
    if (settings.grafana) {
      new Grafana(
        "grafana",
        {
          namespace,
          accountName: this.account(monitoringServices.grafana),
          image: settings.images.grafana,
          files: grafanaFiles({ ...rules, documentation: undefined, prometheusUrl }),
          passwordVersion: config.roles.passwordVersion,
        },
        this.child,
      );
    }
  }

  private account(name: string): pulumi.Output<string> {
    return new PowerlessAccount(name, { namespace: this.namespace }, this.child).accountName;
  }

  private get namespace(): pulumi.Output<string> {
    return this.args.database.namespaces.name("monitoring");
  }

  private get child() {
    return { parent: this };
  }
}

/** What watches a stack's database, if anything does. */
export function provisionMonitoring(
  config: StackConfig,
  place: Kubernetes | undefined,
  database: Database | undefined,
  schema: Schema,
): Monitoring | undefined {
  const { monitoring: settings } = config;
  const { target } = config.database;
  if (settings === undefined || place === undefined || database === undefined) return undefined;
  const rules = ruleSettings(config);
  if (rules === undefined || target === undefined) return undefined;
  const { webhook, teams, email } = settings.notify;
  if (webhook === undefined && teams === undefined && email === undefined) {
    void pulumi.log.warn(
      "monitoring.notify is not set: alerts are shown, and nobody is told (docs/monitoring.md says how)",
    );
  }
  return new Monitoring(
    "monitoring",
    {
      config,
      settings,
      database,
      databaseName: target.database,
      dataVolumeBytes: parseBytes(config.cluster?.dataVolume ?? "") ?? 0,
      rules,
      passwords: schema.roles.passwords,
    },
    // Whom exporters log in as, and what they may read there.
    { dependsOn: [...database.ready, schema], providers: [place.provider] },
  );
}
