import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { AlertRules } from "../../infra/monitoring/alertRules";
import { backupAlerts } from "../../infra/monitoring/backupAlerts";
import { renderRules } from "../../infra/monitoring/rulesFile";
import { projectRoot } from "../../ops/paths";

describe("alerts on backups", () => {
  it("are these, whole", () => {
    expect(renderRules([backupAlerts])).toMatchSnapshot();
  });

  it("have a name each", () => {
    const names = backupAlerts.rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });

  it("lead to a part of a page that is there", () => {
    for (const { annotations } of backupAlerts.rules) {
      const [page = "", part] = annotations.runbook_url.split("#");
      expect(page).toMatch(/^docs\/runbooks\//);
      expect(existsSync(join(projectRoot, page)), page).toBe(true);
      if (part !== undefined) expect(anchors(page)).toContain(part);
    }
  });

  it("are about metrics that the agent tells", () => {
    const agent = join(projectRoot, "infra/database/agent");
    const told = readdirSync(agent)
      .filter((name) => name.endsWith(".py"))
      .map((name) => readFileSync(join(agent, name), "utf8"))
      .join("\n");
    const asked = backupAlerts.rules.flatMap(({ expr }) => expr.match(/ms5_\w+/g) ?? []);
    expect(new Set(asked).size).toBeGreaterThan(8);
    for (const metric of asked) {
      // Those of drills are put together from the names of columns.
      const [, drills] = /^ms5_backup_drill_(\w+)$/.exec(metric) ?? [];
      expect(told).toContain(drills === undefined ? `"${metric}"` : `"${drills}"`);
    }
  });

  it("stand in the table of docs/backups.md, each with its severity", () => {
    const page = readFileSync(join(projectRoot, "docs/backups.md"), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` \| (critical|warning) \|/gm)].map(([, ...row]) => row);
    expect(rows).toEqual(backupAlerts.rules.map(({ alert, labels }) => [alert, labels.severity]));
  });
});

describe("the ConfigMap of rules", () => {
  it("has them in a file, where a Prometheus can read them", async () => {
    const made: Record<string, unknown>[] = [];
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        if (type.startsWith("kubernetes:")) made.push({ type, ...inputs });
        return { id: `${name}-id`, state: inputs };
      },
      call: () => ({}),
    });
    new AlertRules("alert-rules", { namespace: "ms5-database" });
    await pulumi.runtime.disconnect();
    expect(made).toMatchObject([
      {
        type: "kubernetes:core/v1:ConfigMap",
        metadata: { name: "alert-rules", namespace: "ms5-database" },
        data: { "backups.yml": renderRules([backupAlerts]) },
      },
    ]);
  });
});

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
