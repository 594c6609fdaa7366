import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { flows, parties } from "../../../infra/kubernetes/flows";
import { monitoringPorts } from "../../../infra/monitoring/names";
import { retentionBytes } from "../../../infra/monitoring/prometheus";
import { renderPrometheusConfig } from "../../../infra/monitoring/prometheusConfig";

const cluster = { name: "blue", namespace: "ms5-database", members: 3 };
const config = (remoteWrite?: { url: string; withToken: boolean }) =>
  parse(renderPrometheusConfig({ stack: "dev", environment: "dev", cluster, database: "ms5", remoteWrite }));
const job = (name: string) =>
  config().scrape_configs.find((one: { job_name: string }) => one.job_name === name);

describe("what Prometheus collects", () => {
  it("has the four jobs of document 002 at its intervals, and one for each thing else that can fail", () => {
    const intervals = config().scrape_configs.map(
      ({ job_name, scrape_interval }: { job_name: string; scrape_interval?: string }) => [
        job_name,
        scrape_interval ?? config().global.scrape_interval,
      ],
    );
    expect(intervals).toEqual([
      ["postgres", "30s"],
      ["hypertables", "60s"],
      ["compression", "300s"],
      ["performance", "30s"],
      ["member", "30s"],
      ["pooler", "30s"],
      ["node", "30s"],
      ["monitoring", "30s"],
      ["prometheus", "30s"],
      ["alertmanager", "30s"],
    ]);
  });

  it("refuses a scrape that is larger than any should be, whoever it comes from", () => {
    for (const one of config().scrape_configs) expect(one.sample_limit, one.job_name).toBeGreaterThan(0);
  });

  it("asks one exporter about each member, and names the member, not the exporter", () => {
    expect(job("postgres")).toMatchObject({
      metrics_path: "/probe",
      params: { auth_module: ["monitor"] },
      static_configs: [
        {
          targets: ["blue-0.blue-members.ms5-database.svc.cluster.local:5432/ms5"],
          labels: { pod: "blue-0" },
        },
        { labels: { pod: "blue-1" } },
        { labels: { pod: "blue-2" } },
      ],
    });
    expect(job("postgres").relabel_configs).toContainEqual({
      target_label: "__address__",
      replacement: `exporter.ms5-monitoring.svc:${monitoringPorts.postgresExporter}`,
    });
  });

  it("verifies whoever answers over TLS", () => {
    for (const name of ["member", "monitoring"]) {
      expect(job(name)).toMatchObject({ scheme: "https", tls_config: { ca_file: "/tls/ca/ca.pem" } });
    }
  });

  it("goes to ports that a flow allows", () => {
    const allowed = flows.filter(({ from }) => from === "prometheus").map(({ to, port }) => `${to} ${port}`);
    for (const flow of [
      `nodeExporter ${monitoringPorts.nodeExporter}`,
      `pooler ${monitoringPorts.pgbouncerExporter}`,
      `exporter ${monitoringPorts.postgresExporter}`,
      `exporter ${monitoringPorts.timescaledbExporter}`,
      `monitoringApi ${monitoringPorts.api}`,
      `alertmanager ${monitoringPorts.alertmanager}`,
    ]) {
      expect(allowed).toContain(flow);
    }
    expect(Object.keys(parties)).toContain("prometheus");
  });

  it("sends samples on where the config says so, with the token from a file", () => {
    expect(config().remote_write).toBeUndefined();
    expect(config({ url: "https://metrics.example/write", withToken: true }).remote_write).toEqual([
      {
        url: "https://metrics.example/write",
        authorization: { credentials_file: "/secrets/remote-write-token" },
      },
    ]);
    expect(config({ url: "https://m.example", withToken: false }).remote_write).toEqual([
      { url: "https://m.example" },
    ]);
  });

  it("leaves a fifth of its volume free", () => {
    expect(retentionBytes("20Gi")).toBe(Math.floor(20 * 2 ** 30 * 0.8));
  });
});
