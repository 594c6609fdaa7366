// Backups of stack `cluster`, proven by restoring them: from the first that is made by itself to a cluster that begins from
// nothing but the storage and its config. Each test carries on with what the one before it left.
import { BatchV1Api, CoreV1Api } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrationsFolder } from "../../infra/schema/handlers/migrations";
import { readMigrations } from "../../infra/schema/migrations/files";
import { withClient } from "../../infra/schema/postgres";
import type { RepositoryInfo } from "../../ops/backups/info";
import { differences, Journal, type Moment } from "../../ops/bench/restore/journal";
import type { Finding } from "../../ops/validate/check";
import { BackupStack, database, eventually } from "./support/backupStack";

let stack: BackupStack;
beforeAll(async () => {
  stack = await BackupStack.create({ MS5_BACKUPS_KEEP_FULL: "2", MS5_BACKUPS_BANDWIDTH: "256Mi" });
}, 600_000);
afterAll(async () => {
  await stack?.remove();
}, 300_000);

const list = () =>
  stack.answer<RepositoryInfo & { points: { name: string; why: string }[] }>(["backup", "list"]);
const telemetry = "factory_telemetry.metric_hist";
const rowsOf = (table: string, pod?: string, container?: string) =>
  stack.sql(
    `SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM ${table} t`,
    pod,
    container,
  );

interface DrillResult {
  readonly passed: boolean;
  readonly label: string | null;
  readonly restore_seconds: number;
  readonly loss_seconds: number;
  readonly findings: readonly Finding[];
}

describe("backups of a cluster", () => {
  it("begin by themselves, from a replica, and are encrypted before they leave", {
    timeout: 300_000,
  }, async () => {
    await stack.up();
    await eventually(async () => expect((await list()).backups).toMatchObject([{ type: "full" }]));
    const primary = await stack.primary();
    const log = await podLog(primary);
    const maker = /(blue-\d) makes a incr backup/.exec(log)?.[1];
    expect(maker).toBeDefined();
    expect(maker).not.toBe(primary);
    // A manifest names every file of a database. Encrypted, it is noise after OpenSSL's salt.
    const [manifest = ""] = (await stack.blobs("backup/database/")).filter((name) =>
      name.endsWith("backup.manifest"),
    );
    const content = await stack.storage.container().getBlobClient(manifest).downloadToBuffer();
    expect(content.subarray(0, 8).toString()).toBe("Salted__");
    expect(content.includes("PG_VERSION")).toBe(false);
  });

  it("have nothing to do at a second up, and show no secret", async () => {
    const again = await stack.up();
    expect(again.changes.filter(({ op }) => op !== "same")).toEqual([]);
    const key = stack.storage.config.MS5_BACKUPS_STORAGE_KEY ?? "";
    const signature = /sig=([^&]+)/.exec(key)?.[1] ?? "";
    expect(signature).not.toBe("");
    for (const text of [stack.state, JSON.stringify(again)]) {
      expect(text).not.toContain(signature);
      expect(text).not.toContain(decodeURIComponent(signature));
    }
    const conf = await stack.inPod(await stack.primary(), ["cat", "/ms5/settings/pgbackrest.conf"]);
    expect(conf).not.toContain("azure-key=");
  });

  it("would be enough for a restore, says the check", async () => {
    const { code, stdout } = await stack.ops(["backup", "check"]);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    expect(findings.filter(({ passed }) => !passed)).toEqual([
      expect.objectContaining({ check: "last drill", severity: "WARNING" }),
    ]);
    expect(code).toBe(0);
  });

  it("have a point before each migration, and one wherever somebody names it", async () => {
    await fill(20_000);
    const point = await stack.answer<{ name: string; lsn: string }>(["backup", "point", "before-mistake"]);
    expect(point).toMatchObject({
      name: "before-mistake",
      lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    });
    expect((await stack.ops(["backup", "point", "before-mistake"])).code).toBe(2);
    expect((await stack.ops(["backup", "point", "Before Mistake"])).code).toBe(2);
    // The table of points comes with migration 10: it and those before it left theirs in the log alone.
    const recorded = (await readMigrations(migrationsFolder)).filter(({ number }) => number > 10);
    expect((await list()).points.map(({ name }) => name)).toEqual([
      ...recorded.map(({ number }) =>
        expect.stringMatching(`^before-${String(number).padStart(4, "0")}-\\d{8}t\\d{6}z$`),
      ),
      "before-mistake",
    ]);
    expect(await stack.sql("SELECT count(*) FROM audit.restore_points WHERE made_by = 'ms5_admin'")).toBe(
      String(recorded.length + 1),
    );
    await expect(stack.sql("DELETE FROM audit.restore_points")).rejects.toThrow("append-only");
  });

  it("bring a table back that somebody has emptied", { timeout: 300_000 }, async () => {
    const before = await rowsOf(telemetry);
    const stayed = await rowsOf("factory_telemetry.machines");
    await stack.sql(`DELETE FROM ${telemetry} WHERE ts < now() - interval '2 days'`);
    await stack.untilArchived();
    expect((await stack.ops(["restore", "--to", "before-mistake", "--into", "mistake"])).code).toBe(2);
    const clone = await stack.restore("before-mistake", "mistake");
    expect(clone).toMatchObject({ code: 0, phase: "good" });
    expect(clone.findings.filter(({ passed }) => !passed)).toEqual([]);
    expect(await rowsOf(telemetry, "clone-mistake-0", "work")).toBe(before);
    const range = ["--table", telemetry, "--until", new Date(Date.now() - 86_400_000).toISOString(), "--yes"];
    const copied = await stack.answer<{ inserted: number }>(["clone", "copy", "mistake", ...range]);
    expect(copied.inserted).toBeGreaterThan(10_000);
    expect(await rowsOf(telemetry)).toBe(before);
    expect(await stack.answer(["clone", "copy", "mistake", ...range])).toMatchObject({ inserted: 0 });
    expect(await rowsOf("factory_telemetry.machines")).toBe(stayed);
  });

  it("never let a clone be part of the cluster, nor run a job, nor archive", async () => {
    const settings = await stack.sql(
      "SELECT current_setting('archive_mode'), current_setting('timescaledb.max_background_workers'), pg_is_in_recovery()",
      "clone-mistake-0",
      "work",
    );
    expect(settings).toBe("off|0|f");
    const launchers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'TimescaleDB%'";
    expect(await stack.sql(launchers)).not.toBe("0");
    expect(await stack.sql(launchers, "clone-mistake-0", "work")).toBe("0");
    expect(await stack.answer<{ clones: object[] }>(["clone", "list"])).toMatchObject({
      clones: [{ name: "mistake", ready: true }],
    });
    // The same name for something else is refused; the same again is the same.
    expect((await stack.ops(["restore", "--to", "latest", "--into", "mistake", "--yes"])).code).toBe(2);
    expect(await stack.restore("before-mistake", "mistake")).toMatchObject({ code: 0, phase: "good" });
    await stack.drop("mistake");
    expect(await stack.answer(["clone", "drop", "mistake", "--yes"])).toEqual({ dropped: false });
  });

  it("go back to exact points in time under load, two at once", { timeout: 600_000 }, async () => {
    const journal = await Journal.begin(stack.target(), 4);
    const moments: Moment[] = [];
    await withClient(stack.target(), async (client) => {
      for (let count = 0; count < 3; count += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1_000 + Math.random() * 2_000));
        moments.push(await journal.moment(client));
        // Points before and after a backup of another kind: it is begun with the right one.
        if (count === 1) await stack.answer(["backup", "run", "incremental"]);
      }
    });
    await journal.stop();
    await stack.untilArchived();
    const [first, second, third] = moments as [Moment, Moment, Moment];
    const restored = await Promise.all([
      stack.restore(first.at, "pitr-1"),
      stack.restore(second.at, "pitr-2"),
    ]);
    expect(restored).toMatchObject([{ phase: "good" }, { phase: "good" }]);
    expect(await stack.restore(third.lsn, "pitr-3")).toMatchObject({ phase: "good" });
    expect(await differences(stack.cloneTarget("pitr-1"), first)).toEqual([]);
    expect(await differences(stack.cloneTarget("pitr-2"), second)).toEqual([]);
    // An LSN is a place between two records: what was acknowledged before it is there.
    expect(await differences(stack.cloneTarget("pitr-3"), third)).toEqual([]);
    expect(await differences(stack.cloneTarget("pitr-1"), second)).not.toEqual([]);
    for (const name of ["pitr-1", "pitr-2", "pitr-3"]) await stack.drop(name);
    await journal.remove();
  });

  it("are tried by a drill, which is recorded for good", { timeout: 300_000 }, async () => {
    const drill = await stack.answer<DrillResult>(["drill"]);
    expect(drill).toMatchObject({ passed: true, label: expect.stringMatching(/^\d{8}-\d{6}F/) });
    expect(drill.findings.find(({ check }) => check === "same as the source")).toMatchObject({
      passed: true,
    });
    expect(drill.restore_seconds).toBeGreaterThan(0);
    expect(drill.loss_seconds).toBeLessThan(60);
    expect(await stack.sql("SELECT passed, label FROM audit.backup_drills")).toBe(`t|${drill.label}`);
    await expect(stack.sql("UPDATE audit.backup_drills SET passed = false")).rejects.toThrow("append-only");
    await eventually(async () => {
      expect(await stack.metric("ms5_backup_drill_passed")).toBe(1);
      expect(await stack.metric("ms5_backup_drill_restore_seconds")).toBeCloseTo(drill.restore_seconds, 3);
    });
    const check = JSON.parse((await stack.ops(["backup", "check"])).stdout) as { findings: Finding[] };
    expect(check.findings.filter(({ passed }) => !passed)).toEqual([]);
  });

  it("are expired by their number, with the log that only they needed", { timeout: 300_000 }, async () => {
    const before = await list();
    const [oldest] = before.backups;
    await stack.answer(["backup", "run", "full"]);
    await stack.answer(["backup", "run", "full"]);
    const after = await list();
    expect(after.backups.filter(({ type }) => type === "full")).toHaveLength(2);
    expect(after.backups.map(({ label }) => label)).not.toContain(oldest?.label);
    expect(after.restorableFrom ?? "").toMatch(/^2/);
    expect((after.restorableFrom ?? "") > (before.restorableFrom ?? "")).toBe(true);
    expect(await stack.blobs(`backup/database/${oldest?.label}/`)).toEqual([]);
  });

  it("are made by the clock, and one at a time", async () => {
    const batch = stack.config.makeApiClient(BatchV1Api);
    const { items } = await batch.listNamespacedCronJob({ namespace: database });
    expect(
      items
        .map(
          ({ metadata, spec }) =>
            `${metadata?.name} ${spec?.schedule} ${spec?.suspend} ${spec?.concurrencyPolicy}`,
        )
        .sort(),
    ).toEqual([
      "backup-differential 0 10 * * 2-5 false Forbid",
      "backup-full 0 10 * * 1 false Forbid",
      "backup-incremental 0 0 1 1 * true Forbid",
      "drill 0 11 * * 3 false Forbid",
    ]);
  });

  it("are all that a lost cluster needs", { timeout: 600_000 }, async () => {
    const { lsn } = await stack.answer<{ lsn: string }>(["backup", "point", "the-end"]);
    await stack.untilArchived();
    const before = await rowsOf(telemetry);
    const points = await rowsOf("audit.restore_points");
    await stack.loseEverything();
    await stack.up({ MS5_CLUSTER_RECOVER_TO: "latest" });
    expect(await rowsOf(telemetry)).toBe(before);
    expect(await rowsOf("audit.restore_points")).toBe(points);
    expect(await stack.sql("SELECT count(*) FROM pg_stat_replication")).toBe("2");
    // Retention waits until somebody has looked.
    expect(await stack.sql("SELECT current_setting('timescaledb.max_background_workers')")).toBe("0");
    expect(await stack.sql(`SELECT pg_current_wal_lsn() > '${lsn}'`)).toBe("t");
    // It goes on in the same archive, on a timeline of its own.
    await stack.sql("SELECT pg_switch_wal()");
    await stack.untilArchived();
    const { backups, problems } = await list();
    expect(problems).toEqual({});
    expect(backups.length).toBeGreaterThan(1);
    stack.forget("MS5_CLUSTER_RECOVER_TO");
    await stack.up();
    expect(await stack.sql("SELECT current_setting('timescaledb.max_background_workers')")).not.toBe("0");
    const drill = await stack.answer<DrillResult>(["drill"]);
    expect(drill.passed).toBe(true);
  });
});

/** Telemetry of some days, in its hypertable's chunks. */
async function fill(rows: number): Promise<void> {
  await stack.sql(
    `SET ROLE ms5_owner; INSERT INTO ${telemetry} (ts, value, machine_id, metric_id)
     SELECT now() - n * interval '30 seconds', n, 1 + n % 5, 1 + n % 4 FROM generate_series(1, ${rows}) n`,
  );
}

async function podLog(pod: string): Promise<string> {
  return stack.config
    .makeApiClient(CoreV1Api)
    .readNamespacedPodLog({ namespace: database, name: pod, container: "database" });
}
