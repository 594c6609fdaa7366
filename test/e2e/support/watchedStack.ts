// Stack `cluster` with everything that watches it, and backups to watch.
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";
import { forward } from "../../../infra/kubernetes/portForward";
import { monitoringPorts } from "../../../infra/monitoring/names";
import type { Place } from "../../../ops/bench/monitoring/faults";
import { Watch } from "../../../ops/bench/monitoring/watch";
import { makeKeySet, signToken, type TokenRequest } from "../../../ops/monitoring/service/token";
import { findPod, monitoringTags } from "../../cluster";
import { killInPod } from "../../cluster/faults";
import type { Overrides } from "../../support/commandStack";
import { BackupStack, eventually } from "./backupStack";
import { shortenedRules, shortenedScrapes } from "./timeLapse";
import { Webhook } from "./webhook";

export const monitoring = "ms5-monitoring";

/** Config of a stack that is watched from pods of the test cluster's images. */
export const watchedConfig: Overrides = {
  MS5_MONITORING_PLACE: "cluster",
  MS5_MONITORING_VOLUME: "1Gi",
  // It can be had from no package registry.
  MS5_MONITORING_GRAFANA: "false",
  MS5_MONITORING_IMAGES_PROMETHEUS: monitoringTags.prometheus,
  MS5_MONITORING_IMAGES_ALERTMANAGER: monitoringTags.alertmanager,
  MS5_MONITORING_IMAGES_POSTGRES_EXPORTER: monitoringTags.postgresExporter,
  MS5_MONITORING_IMAGES_PGBOUNCER_EXPORTER: monitoringTags.pgbouncerExporter,
  MS5_MONITORING_IMAGES_NODE_EXPORTER: monitoringTags.nodeExporter,
  MS5_MONITORING_IMAGES_NODE: monitoringTags.node,
};

export const issuer = "https://ms5.e2e";
export const audience = "ms5-monitoring";

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** undefined for what is no JSON. */
  readonly body: unknown;
}

export class WatchedStack {
  watch: Watch | undefined;

  private constructor(
    readonly stack: BackupStack,
    readonly webhook: Webhook,
    private readonly keys: string,
  ) {}

  /** Deployed. */
  static async create(config: Overrides = {}): Promise<WatchedStack> {
    const stack = await BackupStack.create({ ...watchedConfig, ...config });
    const webhook = await Webhook.start(stack.cluster.plan);
    const keys = await mkdtemp(join(tmpdir(), "ms5-keys-"));
    const { keySetFile } = await makeKeySet(keys);
    const made = new WatchedStack(stack, webhook, keys);
    try {
      await stack.up({
        MS5_MONITORING_API_ISSUER: issuer,
        MS5_MONITORING_API_AUDIENCE: audience,
        MS5_MONITORING_API_KEYS: await readFile(keySetFile, "utf8"),
        MS5_MONITORING_NOTIFY_WEBHOOK: `http://${webhook.address}:${webhook.port}/`,
        MS5_MONITORING_OUTSIDE_ADDRESSES: `${webhook.address}/32`,
        MS5_MONITORING_OUTSIDE_PORT: String(webhook.port),
      });
    } catch (error) {
      await made.remove();
      throw error;
    }
    return made;
  }

  async remove(): Promise<void> {
    await this.watch?.close();
    await this.stack.remove();
    await this.webhook.stop();
    await rm(this.keys, { recursive: true, force: true });
  }

  token(role: "ms5.reader" | "ms5.admin", change: Partial<TokenRequest> = {}): Promise<string> {
    return signToken(this.keys, { issuer, audience, subject: "e2e", roles: [role], ...change });
  }

  /** The monitoring API's answer, which shows the certificate that it should have. */
  async askApi(path: string, headers: Record<string, string>): Promise<ApiAnswer> {
    const core = this.stack.config.makeApiClient(CoreV1Api);
    const { data } = await core.readNamespacedConfigMap({ namespace: monitoring, name: "ca" });
    const way = await forward(() => this.stack.config, {
      namespace: monitoring,
      labels: { "app.kubernetes.io/name": "monitoring-api" },
      port: monitoringPorts.api,
    });
    try {
      const request = get({
        host: "localhost",
        port: way.port,
        path,
        headers,
        ca: data?.["ca.pem"],
        family: 4,
      });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const answer = await text(response);
      const isJson = /json/.test(response.headers["content-type"] ?? "");
      const { statusCode: status = 0 } = response;
      return {
        status,
        headers: response.headers,
        text: answer,
        body: isJson ? JSON.parse(answer) : undefined,
      };
    } finally {
      await way.close();
    }
  }

  async log(app: string, container: string): Promise<string> {
    const core = this.stack.config.makeApiClient(CoreV1Api);
    const labelSelector = `app.kubernetes.io/name=${app}`;
    const { items } = await core.listNamespacedPod({ namespace: monitoring, labelSelector });
    const name = items[0]?.metadata?.name ?? "";
    return core.readNamespacedPodLog({ namespace: monitoring, name, container });
  }

  /** Where faults are caused. */
  async place(): Promise<Place> {
    const { stack } = this;
    const passwords = await stack.passwords();
    return {
      config: stack.config,
      database: "ms5",
      passwords: { ms5_reader: passwords.reader },
      storage: (state) => stack.storage.misbehave(state && { kind: "down" }),
      freeze: async (pod, state) => {
        const place = await findPod(stack.cluster.plan, "ms5-database", pod);
        await killInPod(place, /postgres/, state ? "SIGSTOP" : "SIGCONT");
      },
    };
  }

  async open(): Promise<Watch> {
    this.watch = await Watch.open(this.stack.config);
    return this.watch;
  }

  /** From now on minutes are seconds. Until the next `up` that changes the rules. */
  async hurry(): Promise<void> {
    const core = this.stack.config.makeApiClient(CoreV1Api);
    const change = async (name: string, by: (text: string) => string) => {
      const body = await core.readNamespacedConfigMap({ namespace: monitoring, name });
      const data = Object.fromEntries(
        Object.entries(body.data ?? {}).map(([file, text]) => [file, by(text)]),
      );
      await core.replaceNamespacedConfigMap({ namespace: monitoring, name, body: { ...body, data } });
    };
    await change("prometheus-rules", shortenedRules);
    await change("prometheus-config", shortenedScrapes);
    // Its own of minutes, too: five until it tells again.
    await change("alertmanager-config", (text) =>
      text.replace(/(group_wait|group_interval): .*/g, (_, name) => `${name}: 1s`),
    );
    for (const app of ["prometheus", "alertmanager"]) await this.restart(app);
  }

  private async restart(name: string): Promise<void> {
    const core = this.stack.config.makeApiClient(CoreV1Api);
    const apps = this.stack.config.makeApiClient(AppsV1Api);
    const labelSelector = `app.kubernetes.io/name=${name}`;
    await core.deleteCollectionNamespacedPod({ namespace: monitoring, labelSelector, gracePeriodSeconds: 0 });
    await eventually(async () => {
      const { status } = await apps.readNamespacedDeployment({ namespace: monitoring, name });
      if (status?.readyReplicas !== 1) throw new Error(`${name} is not ready`);
    });
  }
}
