// What Grafana reads at its start: where Prometheus is, where dashboards are, and the dashboards. The same JSON can be imported
// by hand, and into Azure's managed Grafana: which Prometheus to ask is a choice in front of the panels.
import { stringify } from "yaml";
import { pages } from "./index";
import { buildDashboard } from "./page";
import type { DashboardSettings } from "./settings";

/** Where Grafana's pod has the dashboards' files. */
export const dashboardsFolder = "/var/lib/grafana/dashboards";

export interface GrafanaFiles {
  /** For `provisioning/datasources`: YAML. */
  readonly datasource: string;
  /** For `provisioning/dashboards`: YAML. */
  readonly provider: string;
  /** For {@link dashboardsFolder}: file name -> JSON. All together fit into one ConfigMap (1 MiB). */
  readonly dashboards: Readonly<Record<string, string>>;
}

/** @param settings.prometheusUrl where Grafana's server finds Prometheus */
export function grafanaFiles(settings: DashboardSettings & { readonly prometheusUrl: string }): GrafanaFiles {
  return {
    datasource: yaml({
      apiVersion: 1,
      // One that was provisioned under another name would stay.
      prune: true,
      datasources: [
        {
          name: "Prometheus",
          uid: "prometheus",
          type: "prometheus",
          access: "proxy",
          url: settings.prometheusUrl,
          isDefault: true,
          editable: false,
          jsonData: {
            httpMethod: "POST",
            // The shortest interval of scrapes: what a panel that says none of its own builds its rates on.
            timeInterval: "30s",
            prometheusType: "Prometheus",
          },
        },
      ],
    }),
    provider: yaml({
      apiVersion: 1,
      providers: [
        {
          name: "ms5",
          orgId: 1,
          type: "file",
          folder: "MS5",
          folderUid: "ms5",
          // They come from the repository: what was changed by hand could not be saved, nor what was deleted stay away.
          disableDeletion: true,
          allowUiUpdates: false,
          updateIntervalSeconds: 60,
          options: { path: dashboardsFolder, foldersFromFilesStructure: false },
        },
      ],
    }),
    dashboards: Object.fromEntries(
      pages(settings).map((page) => [`${page.name}.json`, JSON.stringify(buildDashboard(page, settings))]),
    ),
  };
}

function yaml(content: object): string {
  return stringify(content, { lineWidth: 0 });
}
