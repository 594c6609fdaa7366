import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { managedSettings, renderManagedJobs } from "../../infra/azure/managedScrapeConfig";
import { ManagedScraping } from "../../infra/azure/managedScraping";
import { renderPrometheusConfig } from "../../infra/monitoring/prometheusConfig";

const args = { cluster: { name: "blue", namespace: "ms5-database", members: 3 }, database: "factory" };

interface Job {
  readonly job_name: string;
  readonly tls_config?: { readonly ca_file: string };
  readonly static_configs?: unknown;
  readonly kubernetes_sd_configs?: unknown;
}

const jobsOf = (text: string) => (parse(text) as { scrape_configs: Job[] }).scrape_configs;

describe("the jobs of Azure's agent", () => {
  const text = renderManagedJobs(args);
  const ours = jobsOf(
    renderPrometheusConfig({ ...args, stack: "prod", environment: "prod", remoteWrite: undefined }),
  );

  it("are those of our Prometheus, but for itself and Alertmanager, and with the CA where the agent has it", () => {
    const wanted = ours
      .filter(({ job_name }) => !["prometheus", "alertmanager"].includes(job_name))
      .map((job) =>
        job.tls_config === undefined
          ? job
          : { ...job, tls_config: { ca_file: "/etc/prometheus/certs/ca.pem" } },
      );
    expect(jobsOf(text)).toEqual(wanted);
    expect(wanted.filter(({ tls_config }) => tls_config !== undefined)).toHaveLength(2);
  });

  it("are written in what the agent understands", () => {
    expect(Object.keys(parse(text) as object)).toEqual(["global", "scrape_configs"]);
    // It drops labels that are meant for all.
    expect(text).not.toContain("external_labels");
    // To it a dollar begins a variable.
    expect(text).not.toContain("$");
    for (const { job_name, static_configs, kubernetes_sd_configs } of jobsOf(text)) {
      expect([static_configs, kubernetes_sd_configs].filter(Boolean), job_name).toHaveLength(1);
    }
    for (const verification of ["insecure_skip_verify", "server_name"])
      expect(text).not.toContain(verification);
  });

  it("are all it collects: a job of its own with a name of ours would count each node twice", () => {
    const settings = managedSettings();
    expect(settings).toMatchObject({ "schema-version": "v1" });
    const targets = settings["default-scrape-settings-enabled"] ?? "";
    expect(targets).toContain("nodeexporter = false\n");
    expect(targets.match(/true/g)).toBeNull();
    // Longer ones are cut.
    expect(settings["config-version"]?.length).toBeLessThanOrEqual(10);
  });
});

describe("what the agent is given", () => {
  it("is the CA, what to leave out, and then the jobs, in its own namespace", async () => {
    const objects: { type: string; inputs: { metadata: { name: string; namespace: string } } }[] = [];
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        if (type.startsWith("kubernetes:")) objects.push({ type, inputs });
        return { id: `${name}-id`, state: inputs };
      },
      call: () => ({}),
    });
    new ManagedScraping("scraping", { ...args, caPem: pulumi.output("-----BEGIN CERTIFICATE-----") });
    await pulumi.runtime.disconnect();
    const named = objects.map(({ type, inputs: { metadata } }) => [type, metadata.namespace, metadata.name]);
    expect(named).toHaveLength(3);
    expect(named.at(-1)).toEqual([
      "kubernetes:core/v1:ConfigMap",
      "kube-system",
      "ama-metrics-prometheus-config",
    ]);
    expect(named.map(([, , name]) => name).sort()).toEqual([
      "ama-metrics-mtls-secret",
      "ama-metrics-prometheus-config",
      "ama-metrics-settings-configmap",
    ]);
    expect(objects.at(-1)?.inputs).toMatchObject({ data: { "prometheus-config": renderManagedJobs(args) } });
  });
});
