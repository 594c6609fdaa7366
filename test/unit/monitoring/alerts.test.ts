import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { guardBytes } from "../../../infra/database/agentSettings";
import { allRules } from "../../../infra/monitoring/alerts/all";
import { backupAlerts } from "../../../infra/monitoring/alerts/backups";
import { metricsOf } from "../../../infra/monitoring/dashboards/promql";
import { volumeGuard, volumeRecords } from "../../../infra/monitoring/recordingRules";
import type { RuleSettings } from "../../../infra/monitoring/ruleSettings";
import { type AlertRule, alertsOf, renderRules } from "../../../infra/monitoring/rulesFile";
import { metrics } from "../../../ops/monitoring/exporter/metrics";
import { projectRoot } from "../../../ops/paths";

const everything: RuleSettings = {
  members: 3,
  edition: "community",
  backups: true,
  freshness: { metric_hist: 300 },
  schedules: { columnstore: 12 * 3600, retention: 24 * 3600 },
  cost: { estimate: 800, budget: 900 },
  stopsAtNight: false,
  ownPrometheus: true,
};
const alerts = alertsOf(allRules(everything));
const namesOf = (settings: RuleSettings) => new Set(alertsOf(allRules(settings)).map(({ alert }) => alert));

/** Names that a stack does not have, of those that one with everything has. */
function missing(settings: Partial<RuleSettings>): string[] {
  const has = namesOf({ ...everything, ...settings });
  return [...namesOf(everything)].filter((name) => !has.has(name));
}

describe("alerts", () => {
  it("are these, whole", () => {
    expect(renderRules(allRules(everything))).toMatchSnapshot();
  });

  it("are one for each name and severity, or speed", () => {
    const keys = alerts.map(({ alert, labels }) => [alert, labels.severity, labels.burn].join(" "));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("wake somebody only for what hurts users or loses data", () => {
    const waking = new Set(
      alerts.filter(({ labels }) => labels.severity === "critical").map(({ alert }) => alert),
    );
    expect([...waking].sort()).toMatchInlineSnapshot(`
      [
        "ArchiveGap",
        "ArchiveQueueFilling",
        "AvailabilityBurn",
        "BackupMissing",
        "CertificateExpiring",
        "ConnectionsSaturated",
        "DataVolumeFilling",
        "FreshnessBurn",
        "LoginExpiring",
        "NoPrimary",
        "NoSynchronousStandby",
        "NotificationsFailing",
        "PoolerClientsWait",
        "ReadLatencyBurn",
        "SessionsBlocked",
        "TargetsAbsent",
        "TwoPrimaries",
        "VolumeAlmostFull",
        "WalVolumeFilling",
        "WraparoundNear",
        "WriteLatencyBurn",
      ]
    `);
  });

  it("lead to a part of a page that is there", () => {
    for (const { alert, annotations } of alerts) {
      const [page = "", part] = annotations.runbook_url.split("#");
      expect(page).toMatch(/^docs\/runbooks\//);
      expect(existsSync(join(projectRoot, page)), page).toBe(true);
      if (part !== undefined) expect(anchors(page), `${alert}: ${page}`).toContain(part);
    }
  });

  it("are named on the page they lead to", () => {
    for (const { alert, annotations } of alerts) {
      const [page = ""] = annotations.runbook_url.split("#");
      expect(readFileSync(join(projectRoot, page), "utf8"), page).toContain(alert);
    }
  });

  it("say what is wrong in one sentence, and what a user feels", () => {
    for (const { alert, annotations } of alerts) {
      expect(annotations.summary, alert).not.toMatch(/\.$/);
      expect(annotations.description, alert).toMatch(/\.$/);
    }
  });

  it("stand in the table of docs/alerts.md, which `-u` writes", async () => {
    const file = join(projectRoot, "docs/alerts.md");
    const [byHand = ""] = readFileSync(file, "utf8").split(/^(?=\| alert)/m);
    const head = "| alert | severity | what users feel | runbook |\n|---|---|---|---|";
    await expect(`${byHand}${[head, ...alerts.map(row)].join("\n")}\n`).toMatchFileSnapshot(file);
  });

  it("of backups stand in the table of docs/backups.md, too", () => {
    const page = readFileSync(join(projectRoot, "docs/backups.md"), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` \| (critical|warning) \|/gm)].map(([, ...cells]) => cells);
    expect(rows).toEqual(backupAlerts.rules.map(({ alert, labels }) => [alert, labels.severity]));
  });
});

describe("what alerts are about", () => {
  const rules = allRules(everything).flatMap(({ rules }) => rules);
  const asked = new Set(rules.flatMap(({ expr }) => metricsOf(expr)));
  const recorded = rules.flatMap((rule) => ("record" in rule ? [rule.record] : []));

  it("is told by somebody", () => {
    const agent = sourceOf("infra/database/agent");
    for (const name of asked) expect(isTold(name, agent), name).toBe(true);
    expect(asked.size).toBeGreaterThan(60);
  });

  function isTold(name: string, agent: string): boolean {
    if (recorded.includes(name)) return true;
    if (name.startsWith("timescaledb_probe")) {
      return sourceOf("ops/monitoring/exporter").includes(`"${name.replace(/_(bucket|count)$/, "")}"`);
    }
    if (name.startsWith("timescaledb_")) return name in metrics;
    // Those of drills are put together from the names of columns.
    const [, drill] = /^ms5_backup_drill_(\w+)$/.exec(name) ?? [];
    if (drill !== undefined) return agent.includes(`"${drill}"`);
    if (name.startsWith("ms5_")) return agent.includes(`"${name}"`);
    return /^(up|pg_up|pgbouncer_|scrape_|prometheus_|alertmanager_)/.test(name);
  }

  it("is recorded before it is asked for", () => {
    for (const { rules } of allRules(everything)) {
      const own = rules.flatMap((rule) => ("record" in rule ? [rule.record] : []));
      for (const [index, { expr }] of rules.entries()) {
        const later = rules.slice(index).flatMap((rule) => ("record" in rule ? [rule.record] : []));
        for (const name of metricsOf(expr).filter((metric) => own.includes(metric)))
          expect(later).not.toContain(name);
      }
    }
  });

  it("is the guard of the agent", () => {
    const guard = volumeRecords.rules.find((rule) => "record" in rule && rule.record === volumeGuard);
    expect(guard?.expr).toContain("ms5_volume_size_bytes / 20, 64 * 2^20, 4096 * 2^20");
    expect(["1Ti", "20Gi", "1Gi"].map(guardBytes)).toEqual([4096 * 2 ** 20, 2 ** 30, 64 * 2 ** 20]);
  });
});

describe("a stack that has less", () => {
  it.each<[string, Partial<RuleSettings>, string[]]>([
    [
      "one member",
      { members: 1 },
      ["TwoPrimaries", "NoSynchronousStandby", "ReplicaNotStreaming", "ReplicaLagging"],
    ],
    [
      "the Apache edition",
      { edition: "apache" },
      ["PolicyJobFailing", "PolicyJobLate", "AggregateStale", "ColumnstoreOverdue", "RetentionOverdue"],
    ],
    ["no backups", { backups: false }, ["DurabilityBurn", ...backupAlerts.rules.map(({ alert }) => alert)]],
    ["no limit for freshness", { freshness: {} }, ["FreshnessBurn"]],
    ["no budget", { cost: { estimate: 800, budget: undefined } }, ["BudgetExceeded"]],
    [
      "Azure's Prometheus",
      { ownPrometheus: false },
      ["CardinalityHigh", "NotificationsFailing", "RulesFailing", "Watchdog"],
    ],
  ])("with %s has no alert on what is not there", (_, settings, names) => {
    expect(missing(settings).sort()).toEqual([...names].sort());
  });

  it("with Azure's Prometheus misses no Prometheus of its own", () => {
    const jobs = (settings: RuleSettings) =>
      alertsOf(allRules(settings)).find(({ alert }) => alert === "JobAbsent")?.expr ?? "";
    expect(jobs(everything)).toContain('job="alertmanager"');
    expect(jobs({ ...everything, ownPrometheus: false })).not.toContain('job="alertmanager"');
  });
});

function row({ alert, labels, annotations }: AlertRule): string {
  const { severity, burn } = labels;
  const page = annotations.runbook_url.replace(/^docs\//, "");
  const title = /runbooks\/(.*)\.md/.exec(page)?.[1] ?? "";
  // Values come with the alert; in a table stands what they are of.
  const felt = annotations.description
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, "<$1>")
    .replace(/\{\{.*?\}\}/g, "…");
  return `| \`${alert}\` | ${severity}${burn === undefined ? "" : `, ${burn}x`} | ${felt} | [${title}](${page}) |`;
}

function sourceOf(folder: string): string {
  const place = join(projectRoot, folder);
  return readdirSync(place, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join(place, name), "utf8"))
    .join("\n");
}

/** Of a page's headings, as GitHub makes them. */
function anchors(page: string): string[] {
  const headings = readFileSync(join(projectRoot, page), "utf8").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
