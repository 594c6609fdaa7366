// What Prometheus and Alertmanager of a stack say, through port-forwards.
import type { KubeConfig } from "@kubernetes/client-node";
import { namespaceNames } from "../../../infra/kubernetes/namespaceNames";
import { type Forward, forward } from "../../../infra/kubernetes/portForward";
import { monitoringPorts } from "../../../infra/monitoring/names";

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
}

export class Watch {
  private constructor(
    private readonly prometheus: Forward,
    private readonly alertmanager: Forward,
  ) {}

  static async open(config: KubeConfig): Promise<Watch> {
    const to = (name: "prometheus" | "alertmanager") =>
      forward(() => config, {
        namespace: namespaceNames.monitoring,
        labels: { "app.kubernetes.io/name": name },
        port: monitoringPorts[name],
      });
    return new Watch(await to("prometheus"), await to("alertmanager"));
  }

  /** Prometheus' own address on this machine. */
  get url(): string {
    return `http://127.0.0.1:${this.prometheus.port}`;
  }

  /** Whether an alert of that name fires; undefined while Prometheus does not answer. */
  async fires(alert: string, severity?: string): Promise<boolean | undefined> {
    const answer = await ask<{ data: { alerts: Alert[] } }>(`${this.url}/api/v1/alerts`);
    return answer?.data.alerts.some(
      ({ labels, state }) =>
        labels.alertname === alert &&
        state === "firing" &&
        (severity === undefined || labels.severity === severity),
    );
  }

  /** Names of all that fire. */
  async firing(): Promise<string[]> {
    const answer = await ask<{ data: { alerts: Alert[] } }>(`${this.url}/api/v1/alerts`);
    const names = answer?.data.alerts.filter(({ state }) => state === "firing");
    return [...new Set(names?.map(({ labels }) => labels.alertname ?? ""))].sort();
  }

  /** Whether Alertmanager has an alert of that name that is not over. */
  async isTold(alert: string): Promise<boolean | undefined> {
    const filter = encodeURIComponent(`alertname="${alert}"`);
    const answer = await ask<unknown[]>(
      `http://127.0.0.1:${this.alertmanager.port}/api/v2/alerts?active=true&filter=${filter}`,
    );
    return answer && answer.length > 0;
  }

  /** Targets by job: how many there are that answer or have not been asked yet, and why others do not. */
  async targets(): Promise<Record<string, { up: number; down: string[] }>> {
    const answer = await ask<{ data: { activeTargets: Target[] } }>(
      `${this.url}/api/v1/targets?state=active`,
    );
    const jobs: Record<string, { up: number; down: string[] }> = {};
    for (const { labels, health, lastError } of answer?.data.activeTargets ?? []) {
      const name = labels.job ?? "";
      const job = jobs[name] ?? { up: 0, down: [] };
      jobs[name] = job;
      if (health !== "down") job.up += 1;
      else job.down.push(`${labels.instance}: ${lastError || health}`);
    }
    return jobs;
  }

  /** The one value of a query; undefined without one. */
  async value(query: string): Promise<number | undefined> {
    const answer = await ask<{ data: { result: { value: [number, string] }[] } }>(
      `${this.url}/api/v1/query?query=${encodeURIComponent(query)}`,
    );
    const [first] = answer?.data.result ?? [];
    return first && Number(first.value[1]);
  }

  async close(): Promise<void> {
    await Promise.all([this.prometheus.close(), this.alertmanager.close()]);
  }
}

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError: string;
}

/** undefined while nobody answers. */
async function ask<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}
