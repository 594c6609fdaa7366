import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../infra/config";
import { ruleSettings } from "../../../infra/monitoring/ruleSettings";
import { alertsOf } from "../../../infra/monitoring/rulesFile";
import { budgetRemaining, errorRatio, sloGroup, slos, sloWindows } from "../../../infra/monitoring/slo";
import { projectRoot } from "../../../ops/paths";

const settings = ruleSettings(loadConfig("cluster", {})) ?? expect.fail("stack cluster is watched");
const all = slos({ ...settings, backups: true });

describe("service level objectives", () => {
  it("are recorded in seven windows and a month each, before they are asked for", () => {
    for (const slo of all) {
      const records = sloGroup(slo).rules.flatMap((rule) => ("record" in rule ? [rule.record] : []));
      expect(records).toEqual(
        expect.arrayContaining([
          ...sloWindows.map((window) => `slo:${slo.name}:errors:ratio_rate${window}`),
          errorRatio(slo.name, "30d"),
          budgetRemaining(slo.name),
        ]),
      );
    }
  });

  it("wake where users feel it, at the two fast speeds", () => {
    for (const slo of all) {
      const severities = alertsOf([sloGroup(slo)]).map(({ labels }) => `${labels.burn} ${labels.severity}`);
      const slow = ["3 warning", "1 warning"];
      expect(severities).toEqual(slo.wakes ? ["14.4 critical", "6 critical", ...slow] : slow);
    }
    expect(all.filter(({ wakes }) => !wakes).map(({ name }) => name)).toEqual(["durability"]);
  });

  it("can be missed at every speed: no share above 1 is asked for", () => {
    for (const { target } of all) expect(14.4 * (1 - target)).toBeLessThan(1);
  });

  it("wait for the newest row of each table that is named, by its own limit", () => {
    const both = slos({ ...settings, freshness: { metric_hist: 300, production_kpis: 7200 } });
    const [record] = both.find(({ name }) => name === "freshness")?.records ?? [];
    expect(record?.expr).toMatch(/hypertable="metric_hist"}\) > bool 300/);
    expect(record?.expr).toMatch(/hypertable="production_kpis"}\) > bool 7200/);
  });

  it("promise less of what is stopped every night", () => {
    const [day] = slos({ ...settings, stopsAtNight: false });
    const [night] = slos({ ...settings, stopsAtNight: true });
    expect([day?.target, night?.target]).toEqual([0.999, 0.99]);
  });

  it("stand in the table of docs/slo.md", () => {
    const page = readFileSync(join(projectRoot, "docs/slo.md"), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d.]+) % \|/gm)].map(([, name, target]) => [
      name,
      Number(target),
    ]);
    expect(rows).toEqual(all.map(({ name, target }) => [name, Number((target * 100).toFixed(3))]));
  });
});

describe("what rules know of a stack", () => {
  it("comes from its config", () => {
    expect(settings).toMatchInlineSnapshot(`
      {
        "backups": false,
        "cost": undefined,
        "edition": "community",
        "freshness": {
          "metric_hist": 300,
        },
        "members": 3,
        "ownPrometheus": true,
        "schedules": {
          "columnstore": 43200,
          "retention": 86400,
        },
        "stopsAtNight": false,
      }
    `);
    expect(
      ruleSettings(loadConfig("cluster", { "ms5-timescale:monitoring": '{"freshness":"10 minutes"}' })),
    ).toMatchObject({
      freshness: { metric_hist: 600 },
    });
  });

  it("is nothing where nothing watches", () => {
    expect(ruleSettings(loadConfig("local", {}))).toBeUndefined();
    expect(
      ruleSettings(loadConfig("cluster", { "ms5-timescale:monitoring": '{"place":"none"}' })),
    ).toBeUndefined();
  });
});
