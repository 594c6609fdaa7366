// Dashboards as Grafana would read them: by its schema, and by what a schema does not say.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { describe, expect, it } from "vitest";
import { dashboards } from "../../../infra/monitoring/dashboards";
import { scrapeSeconds } from "../../../infra/monitoring/dashboards/promql";
import { grafanaFiles } from "../../../infra/monitoring/dashboards/provisioning";
import { projectRoot } from "../../../ops/paths";
import { describeDashboards, panelsOf, placeOf } from "./dashboardPicture";
import { everything, least } from "./dashboardSettings";
import { SdkSchema } from "./sdkSchema";

const all = dashboards(everything);
/** As it is written to a file: builders leave functions behind. */
const json: typeof all = JSON.parse(JSON.stringify(all));

const eachPanel = json.flatMap((dashboard) =>
  panelsOf(dashboard).map((panel) => ({ dashboard, panel, name: `${dashboard.uid}: ${panel.title}` })),
);
const queriesOf = (panel: Panel) => (panel.targets ?? []) as unknown as Dataquery[];

describe("Grafana's schema", () => {
  /** Folder in the SDK, by the type of panel. */
  const modules: Readonly<Record<string, string>> = {
    stat: "stat",
    timeseries: "timeseries",
    "state-timeline": "statetimeline",
    table: "table",
  };
  const schema = new SdkSchema(["dashboard", "prometheus", ...Object.values(modules)]);

  it("has every dashboard as it is", () => {
    const problems = json.flatMap((dashboard) => {
      const panels = (dashboard.panels ?? []).map((panel) =>
        "targets" in panel ? { ...panel, targets: [] } : panel,
      );
      return schema.problems({ ...dashboard, panels }, "dashboard", "Dashboard");
    });
    expect(problems).toEqual([]);
  });

  it("has every panel's options and every query as it is", () => {
    const problems = eachPanel.flatMap(({ name, panel }) => {
      const module = modules[panel.type];
      if (module === undefined) return [`${name}: ${panel.type} is a kind of panel that is not checked`];
      const custom: unknown = panel.fieldConfig?.defaults.custom ?? {};
      const found = [
        ...schema.problems(panel.options, module, "Options"),
        ...(module === "stat" ? [] : schema.problems(custom, module, "FieldConfig")),
        ...queriesOf(panel).flatMap((query) => schema.problems(query, "prometheus", "Dataquery")),
      ];
      return found.map((problem) => `${name}: ${problem}`);
    });
    expect(problems).toEqual([]);
  });

  it("would refuse what it does not know", () => {
    const dashboard = { ...json[0], panels: [], refresh: 10, colour: "red" };
    expect(schema.problems(dashboard, "dashboard", "Dashboard")).toEqual([
      "Dashboard.refresh is 10",
      "Dashboard.colour is unknown",
    ]);
    expect(schema.problems({ graphMode: "lines" }, "stat", "Options")).toContain(
      'Options.graphMode is "lines"',
    );
  });
});

describe("every dashboard", () => {
  it("has an address, a title, marks and a way to the others", () => {
    expect(json.map(({ uid, title }) => [uid, title])).toMatchInlineSnapshot(`
      [
        [
          "ms5-overview",
          "MS5: is data safe, fresh, fast, affordable",
        ],
        [
          "ms5-replication",
          "MS5: replication and failover",
        ],
        [
          "ms5-timescaledb",
          "MS5: TimescaleDB policies and storage",
        ],
        [
          "ms5-pooler",
          "MS5: pooler",
        ],
        [
          "ms5-backups",
          "MS5: backups and drills",
        ],
        [
          "ms5-slo",
          "MS5: service levels and error budgets",
        ],
        [
          "ms5-cost",
          "MS5: cost",
        ],
      ]
    `);
    for (const dashboard of json) {
      expect(dashboard.uid).toMatch(/^ms5-[a-z]{3,}$/);
      expect(dashboard.tags).toEqual(["ms5"]);
      expect(dashboard.links?.map(({ type }) => type)).toEqual(["dashboards", "link"]);
      expect(dashboard.templating.list?.[0]).toMatchObject({
        name: "datasource",
        type: "datasource",
        query: "prometheus",
      });
      expect(dashboard.refresh).toBe(dashboard.uid === "ms5-overview" ? "10s" : "30s");
    }
  });

  it("has at most 21 panels, each with an id of its own", () => {
    for (const dashboard of json) {
      const ids = (dashboard.panels ?? []).map(({ id }) => id);
      expect(new Set(ids).size, dashboard.uid).toBe(ids.length);
      expect(panelsOf(dashboard).length, dashboard.uid).toBeLessThanOrEqual(21);
    }
  });

  it("has no two panels in one place, and none outside of the 24 columns", () => {
    for (const { uid, panels = [] } of json) {
      const taken = new Map<string, string>();
      for (const panel of panels) {
        const { x, y, w, h } = placeOf(panel);
        expect(x + w, `${uid}: ${panel.title}`).toBeLessThanOrEqual(24);
        for (let row = y; row < y + h; row++) {
          for (let column = x; column < x + w; column++) {
            expect(taken.get(`${column},${row}`), `under ${uid}: ${panel.title}`).toBeUndefined();
            taken.set(`${column},${row}`, panel.title ?? "");
          }
        }
      }
    }
  });

  it("fills each line of panels to its end", () => {
    for (const dashboard of json) {
      const widths = new Map<number, number>();
      for (const panel of panelsOf(dashboard)) {
        const { y, w } = placeOf(panel);
        widths.set(y, (widths.get(y) ?? 0) + w);
      }
      // The service levels are as many as are promised.
      if (dashboard.uid !== "ms5-slo")
        expect([...widths.values()], dashboard.uid).toEqual([...widths].map(() => 24));
    }
  });
});

describe.each(eachPanel)("$name", ({ panel }) => {
  it("says what it means, when to worry, in which unit and colours", () => {
    const [means, worry] = (panel.description ?? "").split("\n\n");
    expect(means).toMatch(/^[A-Z].{20,}\.$/);
    expect(worry).toMatch(/^\S.{3,}\.$/);
    const { unit, thresholds } = panel.fieldConfig?.defaults ?? {};
    expect(Object.values(units)).toContain(unit);
    const values = thresholds?.steps.map(({ value }) => value) ?? [];
    expect(values[0]).toBeNull();
    // Grafana takes the last step that a value has reached.
    const numbers = values.slice(1).map(Number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    for (const { id, value } of panel.fieldConfig?.overrides.flatMap(({ properties }) => properties) ?? []) {
      if (id === "unit") expect(Object.values(units)).toContain(value);
    }
  });

  it("asks the chosen Prometheus, with a name for each query", () => {
    const chosen = { type: "prometheus", uid: `\${datasource}` };
    const queries = queriesOf(panel);
    expect(panel.datasource).toEqual(chosen);
    expect(queries.map(({ refId }) => refId)).toEqual([..."ABCDEFG"].slice(0, queries.length));
    expect(queries.length).toBeGreaterThan(0);
    for (const { expr, datasource } of queries) {
      expect(expr.trim()).not.toBe("");
      expect(datasource).toEqual(chosen);
    }
  });

  it("asks no finer than Prometheus scrapes, over at least four scrapes", () => {
    const interval = Number(/^(\d+)s$/.exec(panel.interval ?? "")?.[1]);
    for (const { expr } of queriesOf(panel)) {
      expect(interval).toBeGreaterThanOrEqual(scrapeSeconds(expr));
      for (const [, amount, unit] of expr.matchAll(/\[(\d+)([smhd])\]/g)) {
        const seconds = Number(amount) * { s: 1, m: 60, h: 3600, d: 86_400 }[unit as "s" | "m" | "h" | "d"];
        expect(seconds).toBeGreaterThanOrEqual(4 * scrapeSeconds(expr));
      }
    }
  });

  it("leads to pages and dashboards that exist", () => {
    const uids = json.map(({ uid }) => `/d/${uid}`);
    const named = /See docs\/(\S+)$/.exec(panel.description ?? "")?.[1];
    for (const { url = "" } of panel.links ?? []) {
      if (url.startsWith("/d/")) expect(uids).toContain(url);
      else expect(url).toBe(`${everything.documentation}/${named}`);
    }
    if (named === undefined) return;
    const [page = "", anchor] = named.split("#");
    const file = join(projectRoot, "docs", page);
    expect(existsSync(file), named).toBe(true);
    const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(" ", "-"),
    );
    if (anchor !== undefined) expect(headings).toContain(anchor);
  });
});

describe("variables", () => {
  it("are chosen from a label, all of them at first, and used", () => {
    for (const { uid, templating, panels } of json) {
      const text = JSON.stringify(panels);
      for (const { name, query, allValue, current } of (templating.list ?? []).slice(1)) {
        expect(query, uid).toMatch(new RegExp(`^label_values\\(\\w+, ${name}\\)$`));
        expect(allValue).toBe(".*");
        expect(current?.value).toEqual(["$__all"]);
        expect(text, `${uid}: ${name}`).toContain(`=~\\"$${name}\\"`);
      }
    }
  });

  it("are all there", () => {
    const ours = ["__rate_interval", "__range", "datasource"];
    for (const { uid, templating, panels = [] } of json) {
      const known = [...ours, ...(templating.list ?? []).map(({ name }) => name)];
      // `$1` is label_replace's.
      for (const [, name] of JSON.stringify(panels).matchAll(/\$\{?([a-z_]+)/g))
        expect(known, uid).toContain(name);
    }
  });
});

describe("the overview", () => {
  it("has the eleven panels of requirements document 002", () => {
    const overview = json[0];
    const titles = overview === undefined ? [] : panelsOf(overview).map(({ title }) => title);
    for (const panel of [
      "Cache hit ratio",
      "Transaction rate",
      "Active connections",
      "Hypertable chunks",
      "Data modification rate",
      "Compression",
      "Database size",
      "Query latency",
      "Data operations",
      "Deadlocks",
      "I/O performance",
    ])
      expect(titles).toContain(panel);
  });
});

describe("a stack that has less", () => {
  it("has no panel that could never show anything", () => {
    const text = JSON.stringify(dashboards(least));
    expect(dashboards(least).map(({ uid }) => uid)).not.toContain("ms5-backups");
    for (const metric of [
      "ms5_backup_",
      "ms5_archive_",
      "ms5_monthly_",
      "ms5_member_lag_",
      "timescaledb_aggregate_",
      "timescaledb_retention_",
      "slo:durability:",
      "prometheus_tsdb_",
    ])
      expect(text).not.toContain(metric);
  });

  it("has no link where nobody has said where docs can be read, and names the page", () => {
    const text = JSON.stringify(dashboards(least));
    expect(text).toContain("See docs/runbooks/");
    expect(text).not.toContain("undefined");
  });
});

describe("Grafana's files", () => {
  const files = grafanaFiles({ ...everything, prometheusUrl: "http://prometheus.ms5-monitoring.svc:9090" });

  it("say where Prometheus and the dashboards are", async () => {
    const text = `# datasource\n${files.datasource}\n# provider\n${files.provider}`;
    await expect(text).toMatchFileSnapshot("golden/grafana-provisioning.yaml");
  });

  it("have a dashboard each, all of them in one ConfigMap", () => {
    expect(Object.keys(files.dashboards)).toEqual(json.map(({ uid }) => `${uid?.replace("ms5-", "")}.json`));
    expect(Object.values(files.dashboards).map((text) => JSON.parse(text))).toEqual(json);
    const bytes = Object.values(files.dashboards).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect(bytes).toBeLessThan(900_000);
  });
});

it("docs/dashboards.md shows them as they are", async () => {
  const file = join(projectRoot, "docs/dashboards.md");
  const [begin, end] = ["<!-- dashboards: begin -->", "<!-- dashboards: end -->"];
  const [before, rest] = readFileSync(file, "utf8").split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${file} lacks ${begin} or ${end}`);
  await expect(`${before}${begin}\n${describeDashboards(json).trim()}\n${end}${after}`).toMatchFileSnapshot(
    file,
  );
});
