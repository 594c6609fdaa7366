import type { Endpoints } from "../kubernetes/flows";
import type { Interval } from "../units";

/** How a stack is watched. */
export interface MonitoringSettings {
  /** Pods beside the database, or Azure's managed Prometheus and Grafana over the same exporters. */
  readonly place: "cluster" | "azure";
  readonly retention: Interval;
  /** As Kubernetes writes it. */
  readonly volume: string;
  readonly storageClass: string | undefined;
  readonly grafana: boolean;
  readonly images: MonitoringImages;
  readonly remoteWrite: { readonly url: string; readonly token: string | undefined } | undefined;
  readonly notify: NotifySettings;
  /** Where webhooks, Teams, remote write and the issuer's keys are; undefined where none of them is used. */
  readonly outside: Endpoints | undefined;
  readonly api: ApiSettings | undefined;
  /** Of metric_hist's newest row. */
  readonly freshness: Interval;
}

export interface MonitoringImages {
  readonly prometheus: string;
  readonly alertmanager: string;
  readonly postgresExporter: string;
  readonly pgbouncerExporter: string;
  readonly nodeExporter: string;
  readonly grafana: string;
  readonly node: string;
}

/** Secrets among them: URLs of webhooks open them. */
export interface NotifySettings {
  readonly webhook: string | undefined;
  readonly teams: string | undefined;
  readonly email: EmailSettings | undefined;
  readonly warnings: boolean;
}

export interface EmailSettings {
  readonly to: string;
  /** undefined where Azure sends them, by itself and in its own name. */
  readonly by: MailServer | undefined;
}

export interface MailServer {
  readonly from: string;
  /** HOST:PORT */
  readonly server: string;
  readonly login: { readonly user: string; readonly password: string } | undefined;
  readonly addresses: readonly string[];
}

/** Whose tokens the monitoring API takes. */
export interface ApiSettings {
  readonly issuer: string;
  readonly audience: string;
  /** A JSON Web Key Set: where it is, or the set itself. */
  readonly keys: { readonly url: string } | { readonly set: string };
  readonly rolesClaim: string;
}
