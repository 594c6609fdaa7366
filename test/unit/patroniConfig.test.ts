import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../infra/config";
import { agentFiles } from "../../infra/database/agentFiles";
import { agentSettings, guardBytes } from "../../infra/database/agentSettings";
import { backupPaths } from "../../infra/database/backups/pgbackrestConf";
import { patroniConfig, podPaths } from "../../infra/database/patroniConfig";
import { pgHba } from "../../infra/database/pgHba";
import { projectRoot } from "../../ops/paths";

const address = { name: "blue", namespace: "ms5-database", members: 3 };
const access = { database: "ms5", admin: "ms5_admin", podNetwork: "10.0.0.0/8" };

describe("what Patroni reads", () => {
  it("is this, whole", () => {
    expect(
      patroniConfig({ cluster: address, ...access, parameters: { max_connections: 120 } }),
    ).toMatchSnapshot();
  });

  it("begins from the backups where it is told to, once and on the first member", () => {
    const target = { kind: "time", value: "2026-11-22 10:15:00+00:00", at: 1_795_342_500 } as const;
    const config = patroniConfig({ cluster: address, ...access, parameters: {}, recover: { target } });
    const { dcs, initdb, ...begin } = (config as { bootstrap: Record<string, unknown> }).bootstrap;
    expect(begin).toMatchInlineSnapshot(`
      {
        "backups": {
          "command": "python3 /ms5/agent/bootstrap.py '{"kind":"time","value":"2026-11-22 10:15:00+00:00","at":1795342500}'",
          "keep_existing_recovery_conf": true,
          "no_params": true,
        },
        "method": "backups",
      }
    `);
    const empty = patroniConfig({ cluster: address, ...access, parameters: {} });
    expect(empty).toMatchObject({ bootstrap: { dcs, initdb } });
    expect(JSON.stringify(empty)).not.toContain("bootstrap.py");
  });

  it("lets in by role and network, the superuser and the unencrypted from nowhere", () => {
    expect(pgHba(access).join("\n")).toMatchInlineSnapshot(`
      "local all postgres peer
      local replication replicator peer map=robots
      host all postgres all reject
      hostssl replication replicator 10.0.0.0/8 cert
      hostssl postgres rewind 10.0.0.0/8 cert
      hostssl ms5 pooler 10.0.0.0/8 cert
      host all replicator,rewind,pooler all reject
      host replication all all reject
      hostssl ms5,postgres ms5_admin 127.0.0.1/32 scram-sha-256
      host all ms5_admin all reject
      hostssl all all 127.0.0.1/32 scram-sha-256
      hostssl ms5 all 10.0.0.0/8 scram-sha-256
      host all all all reject"
    `);
  });

  it("has the same places as the agent", () => {
    const python = readFileSync(join(projectRoot, "infra/database/agent/settings.py"), "utf8");
    const places = [
      podPaths.pgdata,
      podPaths.run,
      podPaths.socket,
      podPaths.serverTls,
      podPaths.robotTls,
      podPaths.credentials,
      backupPaths.keys,
      backupPaths.spool,
      backupPaths.job,
    ];
    for (const place of [
      ...places,
      `${podPaths.ca}/ca.pem`,
      `${podPaths.settings}/patroni.yml`,
      `${podPaths.settings}/agent.json`,
    ]) {
      expect(python).toContain(`"${place}"`);
    }
  });
});

describe("the agent's files", () => {
  it("are every program, and one script for the database", () => {
    const files = agentFiles();
    expect(Object.keys(files)).toContain("init.py");
    expect(files["database.sql"]).toMatch(
      /CREATE EXTENSION IF NOT EXISTS timescaledb[\s\S]*pooler\.user_lookup/,
    );
    // A ConfigMap holds no more than 1 MiB.
    expect(JSON.stringify(files).length).toBeLessThan(500_000);
  });

  it("are told what the cluster is", () => {
    const settings = loadConfig("cluster", {}).cluster;
    if (settings === undefined) return expect.fail("stack cluster makes no cluster");
    expect(agentSettings({ address, database: "ms5", admin: "ms5_admin", settings })).toMatchInlineSnapshot(`
      {
        "admin": "ms5_admin",
        "dataGuardBytes": 1073741824,
        "database": "ms5",
        "hostPattern": "{name}.blue-members.ms5-database.svc.cluster.local",
        "members": [
          "blue-0",
          "blue-1",
          "blue-2",
        ],
        "scope": "blue",
        "silenceSeconds": 3,
        "walGuardBytes": 429496730,
      }
    `);
  });

  it("are told of backups what they have to know, and no secret", () => {
    const store = { account: "a", addresses: ["10.0.0.9/32"], key: "sv=1&sig=SECRET" };
    const stated = { storage: store, secondStorage: { ...store, account: "b" }, queueMax: "1Gi" };
    const raw = {
      "ms5-timescale:backups": JSON.stringify({ ...stated, encryptionKey: `SECRET${"x".repeat(20)}` }),
    };
    const settings = loadConfig("cluster", raw).cluster;
    if (settings === undefined) return expect.fail("stack cluster makes no cluster");
    const told = agentSettings({ address, database: "ms5", admin: "ms5_admin", settings });
    expect(told).toMatchObject({
      backups: { repositories: [1, 2], queueMaxBytes: 2 ** 30, bytesPerSecond: 64 * 2 ** 20 },
    });
    expect(JSON.stringify(told)).not.toContain("SECRET");
  });

  it.each([
    ["1Gi", 64],
    ["10Gi", 512],
    ["1Ti", 4096],
  ])("keep free on a volume of %s: %i MiB", (volume, mebibytes) => {
    expect(guardBytes(volume)).toBe(mebibytes * 2 ** 20);
  });
});
