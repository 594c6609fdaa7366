import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationSeconds, isoDuration, managedGroups } from "../../infra/azure/managedRules";
import { allRules } from "../../infra/monitoring/alerts/all";
import type { RuleSettings } from "../../infra/monitoring/ruleSettings";
import type { AlertRule, RuleGroup } from "../../infra/monitoring/rulesFile";

const settings: RuleSettings = {
  members: 3,
  edition: "community",
  backups: true,
  freshness: { metric_hist: 300 },
  schedules: { columnstore: 43_200, retention: 86_400 },
  cost: { estimate: 1_800, budget: 2_000 },
  stopsAtNight: false,
  ownPrometheus: false,
};

const labels = { stack: "prod", environment: "prod" };
const receiver = "/subscriptions/s/actionGroups/ag";

function alert(name: string, severity: AlertRule["labels"]["severity"], wait = "5m"): AlertRule {
  const annotations = { summary: "It is wrong", description: "Somebody feels it", runbook_url: "docs/x.md" };
  return { alert: name, expr: "up == 0", for: wait, labels: { severity }, annotations };
}

function actionsOf(groups: readonly RuleGroup[], tellsWarnings: boolean): Record<string, number> {
  const rules = managedGroups(groups, { labels, receiver, tellsWarnings }).flatMap((group) => group.rules);
  return Object.fromEntries(
    rules.flatMap((rule) => ("alert" in rule ? [[rule.alert, rule.actions.length]] : [])),
  );
}

describe("a group of rules in Azure", () => {
  it("says the same in Azure's words", () => {
    const group: RuleGroup = {
      name: "volumes",
      rules: [{ record: "ms5:room", expr: "free - guard" }, alert("Full", "critical", "1h30m")],
    };
    expect(managedGroups([group], { labels, receiver, tellsWarnings: true })).toMatchInlineSnapshot(`
      [
        {
          "interval": "PT1M",
          "name": "volumes",
          "rules": [
            {
              "enabled": true,
              "expression": "free - guard",
              "record": "ms5:room",
            },
            {
              "actions": [
                {
                  "actionGroupId": "/subscriptions/s/actionGroups/ag",
                },
              ],
              "alert": "Full",
              "annotations": {
                "description": "Somebody feels it",
                "runbook_url": "docs/x.md",
                "summary": "It is wrong",
              },
              "enabled": true,
              "expression": "up == 0",
              "for": "PT1H30M",
              "labels": {
                "environment": "prod",
                "severity": "critical",
                "stack": "prod",
              },
              "resolveConfiguration": {
                "autoResolved": true,
                "timeToResolve": "PT5M",
              },
              "severity": 0,
            },
          ],
        },
      ]
    `);
  });

  it("goes to people as our Alertmanager would tell them", () => {
    const groups = [
      { name: "all", rules: [alert("Wakes", "critical"), alert("Waits", "warning"), alert("Beats", "none")] },
    ];
    expect(actionsOf(groups, true)).toEqual({ Wakes: 1, Waits: 1, Beats: 0 });
    expect(actionsOf(groups, false)).toEqual({ Wakes: 1, Waits: 0, Beats: 0 });
    const [group] = managedGroups(groups, { labels, receiver: undefined, tellsWarnings: true });
    expect(group?.rules).toMatchObject([{ actions: [] }, { actions: [] }, { actions: [] }]);
  });

  it("is evaluated each minute at the most, each quarter of an hour at the least", () => {
    const groups = ["30s", "5m", "2h"].map((interval) => ({ name: interval, interval, rules: [] }));
    const withRules = groups.map((group) => ({ ...group, rules: [{ record: "a", expr: "b" }] }));
    const managed = managedGroups(withRules, { labels, receiver, tellsWarnings: true });
    expect(managed.map(({ interval }) => interval)).toEqual(["PT1M", "PT5M", "PT15M"]);
  });

  it("goes on in another one after twenty rules, in the same order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), (count) => {
        const records = Array.from({ length: count }, (_, index) => ({ record: `r${index}`, expr: "1" }));
        const managed = managedGroups([{ name: "many", rules: records }], {
          labels,
          receiver,
          tellsWarnings: true,
        });
        expect(managed).toHaveLength(Math.ceil(count / 20));
        expect(new Set(managed.map(({ name }) => name)).size).toBe(managed.length);
        const names = managed.flatMap(({ rules }) => rules.map((rule) => "record" in rule && rule.record));
        expect(names).toEqual(records.map(({ record }) => record));
      }),
    );
  });
});

describe("our own rules", () => {
  const ours = managedGroups(allRules(settings), { labels, receiver, tellsWarnings: true });

  it("keep to Azure's limits", () => {
    expect(ours.length).toBeGreaterThan(5);
    const names = ours.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, rules } of ours) {
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(rules.length, name).toBeLessThanOrEqual(20);
      for (const rule of rules) {
        if (!("alert" in rule)) continue;
        expect(Object.keys(rule.labels).length, rule.alert).toBeLessThanOrEqual(10);
        for (const text of [...Object.values(rule.labels), ...Object.values(rule.annotations)]) {
          expect(text.length, rule.alert).toBeLessThanOrEqual(1_024);
        }
      }
    }
  });

  it("look back no further than the 32 days that one query may", () => {
    const ranges = ours.flatMap(({ rules }) =>
      rules.flatMap(({ expression }) => [...expression.matchAll(/\[(\w+?)[\]:]/g)].map(([, range]) => range)),
    );
    expect(ranges).toContain("30d");
    for (const range of ranges) expect(durationSeconds(range ?? "")).toBeLessThanOrEqual(32 * 86_400);
  });

  it("ask nothing of a Prometheus and an Alertmanager that are not there", () => {
    const expressions = ours.flatMap(({ rules }) => rules.map(({ expression }) => expression)).join("\n");
    expect(expressions).not.toMatch(/prometheus_|alertmanager_|job="(prometheus|alertmanager)"/);
    // Azure evaluates outside of the cluster: this one fires when the agent is gone, too.
    expect(expressions).toContain('absent(up{job="member"}');
  });

  it("wake somebody with severity 0 only", () => {
    const severities = new Map(
      ours.flatMap(({ rules }) =>
        rules.flatMap((rule) => ("alert" in rule ? [[rule.labels.severity, rule.severity] as const] : [])),
      ),
    );
    expect(Object.fromEntries(severities)).toEqual({ critical: 0, warning: 2 });
  });
});

describe("a duration", () => {
  it.each([
    ["0m", 0, "PT0S"],
    ["90s", 90, "PT1M30S"],
    ["5m", 300, "PT5M"],
    ["1h30m", 5_400, "PT1H30M"],
    ["3d", 259_200, "P3D"],
    ["1w", 604_800, "P7D"],
    ["1d12h", 129_600, "P1DT12H"],
  ])("%s", (duration, seconds, iso) => {
    expect(durationSeconds(duration)).toBe(seconds);
    expect(isoDuration(seconds)).toBe(iso);
  });

  it.each(["", "5", "5 m", "PT5M"])("%j is none", (text) => {
    expect(() => durationSeconds(text)).toThrow("is no duration");
  });

  it("says in ISO 8601 how many seconds it has", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 * 86_400 }), (seconds) => {
        const [, d = "0", h = "0", m = "0", s = "0"] =
          /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(isoDuration(seconds)) ?? [];
        expect(((Number(d) * 24 + Number(h)) * 60 + Number(m)) * 60 + Number(s)).toBe(seconds);
        expect(isoDuration(seconds)).toMatch(/\d/);
      }),
    );
  });
});
