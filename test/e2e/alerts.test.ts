// The rules of alerts, by Prometheus' own tool: what each is told that it fires at, when it ends, and what it is silent for.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allRules } from "../../infra/monitoring/alerts/all";
import { backupAlerts } from "../../infra/monitoring/alerts/backups";
import type { RuleSettings } from "../../infra/monitoring/ruleSettings";
import { alertsOf, renderRules } from "../../infra/monitoring/rulesFile";
import { sloGroup } from "../../infra/monitoring/slo";
import { createLog } from "../../ops/log";
import {
  backupCases,
  firingCauses,
  from,
  slowBackupCases,
  toldBy,
  until,
  well,
} from "./support/alertCases/backups";
import { connectionCases } from "./support/alertCases/connections";
import { expiryCases } from "./support/alertCases/expiry";
import { costCases, ownCases, withinBudget } from "./support/alertCases/ourselves";
import { policyCases } from "./support/alertCases/policies";
import { replicationCases } from "./support/alertCases/replication";
import {
  burnTrials,
  harmless,
  morning,
  nightly,
  objectives,
  recorded,
} from "./support/alertCases/serviceLevels";
import { sessionCases } from "./support/alertCases/sessions";
import { nightlyCases, targetCases } from "./support/alertCases/targets";
import { volumeCases } from "./support/alertCases/volumes";
import { Promtool } from "./support/promtool";
import { firing, type GroupCases, hold, keyOf, neverFired, trialsOf } from "./support/ruleTrials";

let promtool: Promtool;
beforeAll(async () => {
  promtool = await Promtool.create({}, createLog({ quiet: false }));
});
afterAll(async () => {
  await promtool?.remove();
});

/** A stack that has everything. */
const everything: RuleSettings = {
  members: 3,
  edition: "community",
  backups: true,
  freshness: { metric_hist: 300, production_kpis: 7200 },
  schedules: { columnstore: 12 * 3600, retention: 24 * 3600 },
  cost: { estimate: 800, budget: 900 },
  stopsAtNight: false,
  ownPrometheus: true,
};

const tried: Readonly<Record<string, GroupCases>> = {
  volumes: volumeCases,
  replication: replicationCases,
  connections: connectionCases,
  sessions: sessionCases,
  policies: policyCases,
  expiry: expiryCases,
  targets: targetCases,
  "Prometheus itself": ownCases,
  cost: costCases,
  backups: backupCases,
  "backups, over days": slowBackupCases,
};

const sloAlerts = alertsOf(objectives.map(sloGroup));

describe("the rules of alerts", () => {
  it("are rules to Prometheus, for every kind of stack, and no two of them are the same", async () => {
    const kinds: RuleSettings[] = [
      everything,
      { ...everything, members: 1, edition: "apache", backups: false, freshness: {}, cost: undefined },
      { ...everything, stopsAtNight: true, ownPrometheus: false, cost: { estimate: 1, budget: undefined } },
    ];
    for (const settings of kinds) {
      const groups = allRules(settings);
      await promtool.write("all.yml", renderRules(groups));
      expect(await promtool.run(["check", "rules", "--lint=all", "--lint-fatal"], "all.yml")).toEqual({
        code: 0,
        output: expect.stringContaining(`${groups.flatMap(({ rules }) => rules).length} rules found`),
      });
    }
  });

  it("are all tried here", () => {
    const keys = Object.values(tried).flatMap(({ cases }) => Object.keys(cases));
    expect([...keys, ...sloAlerts.map(keyOf)].sort()).toEqual(
      alertsOf(allRules(everything)).map(keyOf).sort(),
    );
  });
});

describe.each(Object.entries(tried))("alerts on %s", (_, group) => {
  const alerts = alertsOf(group.groups).filter((rule) => keyOf(rule) in group.cases);

  it("are silent while all is well", async () => {
    const always = alerts.filter(({ labels }) => labels.severity === "none").map(keyOf);
    const constant = Object.keys(group.well).length === 0;
    const day = 24 * 60;
    if (!constant) await hold(promtool, group, [{ telling: group.well, checks: [firing(day, always)] }]);
  });

  it.each(alerts.map((rule) => [keyOf(rule), rule] as const))("%s", async (_, rule) => {
    await hold(promtool, group, trialsOf(rule, group));
  });
});

describe("a stack that is stopped every night", () => {
  it("is missed by a Prometheus that goes on after more than a weekend", async () => {
    const [absent] = alertsOf(nightlyCases.groups);
    if (absent === undefined) throw new Error("no alert");
    await hold(promtool, nightlyCases, trialsOf(absent, nightlyCases));
  });
});

describe("service levels of a stack that is stopped every night", () => {
  it("are silent in the morning", async () => {
    await hold(promtool, { groups: nightly.map(sloGroup) }, [morning]);
  });
});

describe("a budget that is kept", () => {
  it("is nothing to tell", async () => {
    await hold(promtool, withinBudget, [{ telling: {}, checks: [neverFired(60)] }]);
  });
});

describe("service levels", () => {
  const groups = objectives.map(sloGroup);

  it.each(objectives.map((slo) => [slo.name, slo] as const))(
    "%s: each speed fires, and ends",
    async (_, slo) => {
      await hold(promtool, { groups: [sloGroup(slo)] }, burnTrials(slo));
    },
  );

  it.each(Object.entries(harmless))("are silent for %s", async (_, trial) => {
    await hold(promtool, { groups }, [trial]);
  });

  it("are recorded as they were, and not where nothing is known", async () => {
    await hold(promtool, { groups }, recorded);
  });
});

describe("alerts on backups, while another member becomes the primary", () => {
  it("are silent when all is well", async () => {
    // The new one tells of its own files at once, and of the repository when that has answered.
    const atOnce = Object.fromEntries(
      Object.entries(well).filter(([metric]) => !metric.startsWith("ms5_backup_")),
    );
    const drills = Object.fromEntries(Object.entries(well).filter(([metric]) => metric.includes("drill")));
    await hold(promtool, backupCases, [
      {
        telling: { ...toldBy("blue-0", until(120, well)), ...toldBy("blue-1", from(122, well)) },
        checks: [neverFired(400)],
      },
      {
        telling: {
          ...toldBy("blue-0", until(120, well)),
          ...toldBy("blue-1", { ...from(124, well), ...from(121, { ...atOnce, ...drills }) }),
        },
        checks: [neverFired(400)],
      },
      {
        // The old one does not know yet that it is not the primary any more.
        telling: { ...toldBy("blue-0", until(125, well)), ...toldBy("blue-1", from(120, well)) },
        checks: [neverFired(400)],
      },
    ]);
  });

  it("know how old a backup is when the new one does not reach the storage", async () => {
    const newest = 'ms5_backup_last_completed_timestamp_seconds{repository="1",type="any"}';
    const full = 'ms5_backup_last_completed_timestamp_seconds{repository="1",type="full"}';
    const up = 'ms5_backup_repository_up{repository="1"}';
    const before = until(600, { ...well, [newest]: () => 0 });
    const after = from(602, { ...well, [newest]: undefined, [full]: undefined, [up]: () => 0 });
    await hold(promtool, backupCases, [
      {
        telling: { ...toldBy("blue-0", before), ...toldBy("blue-1", after) },
        checks: [
          firing(790, ["BackupRepositoryAway warning"]),
          firing(791, ["BackupRepositoryAway warning", "BackupTooOld warning"]),
        ],
      },
    ]);
  });

  it.each(firingCauses.map((cause) => [cause.key, cause] as const))(
    "%s goes on",
    async (key, { telling, at }) => {
      const [alertname, severity] = key.split(" ");
      const stated = { ...well, ...telling };
      const fired = `count(ALERTS{alertname="${alertname}",severity="${severity}",alertstate="firing"})`;
      const step = at > 2 * 24 * 60 ? 300 : 60;
      await hold(promtool, { groups: [backupAlerts], step }, [
        {
          telling: {
            ...toldBy("blue-0", until(at + 10, stated)),
            ...toldBy("blue-1", from(at + 12, stated)),
          },
          checks: [
            {
              expr: `count_over_time((${fired})[30m:1m])`,
              minute: at + 30,
              samples: [{ labels: "{}", value: 31 }],
            },
          ],
        },
      ]);
    },
  );
});
