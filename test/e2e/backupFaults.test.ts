// What goes wrong with backups and their storage. After each: writers went on, somebody can see what is wrong, and nothing
// half-restored was ever called good. Each test carries on with what the one before it left.
import { CoreV1Api } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../infra/schema/postgres";
import type { CloneState } from "../../ops/backups/clones";
import type { RepositoryInfo } from "../../ops/backups/info";
import { differences, Journal, type Moment } from "../../ops/bench/restore/journal";
import type { StorageFault } from "../cluster/blobStorage/faults";
import { BackupStack, database, eventually } from "./support/backupStack";
import { ClientPod, type Login, type Written, writers } from "./support/clientPod";

let stack: BackupStack;
let core: CoreV1Api;
let client: ClientPod;
let writer: Login;

beforeAll(async () => {
  stack = await BackupStack.create({
    // Small enough to be reached by a test.
    MS5_BACKUPS_QUEUE_MAX: "64Mi",
    MS5_BACKUPS_CLONE_VOLUME: "512Mi",
  });
  await stack.up();
  core = stack.config.makeApiClient(CoreV1Api);
  const ca = (await core.readNamespacedConfigMap({ namespace: database, name: "ca" })).data?.["ca.pem"] ?? "";
  client = await ClientPod.create(stack.config, stack.cluster.kubeconfig, ca);
  writer = { user: "ms5_writer", password: (await stack.passwords()).writer };
  await eventually(async () => expect((await list()).backups).not.toEqual([]));
}, 600_000);
afterAll(async () => {
  await client?.remove();
  await stack?.remove();
}, 300_000);

const list = () => stack.answer<RepositoryInfo>(["backup", "list"]);
const write = (seconds: number) => client.python<Written>(writers(writer, seconds));

/** Ends `count` segments, with something in each. */
async function segments(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await stack.sql("SELECT pg_logical_emit_message(false, 'e2e', 'x'); SELECT pg_switch_wal()");
  }
}

async function moment(): Promise<Moment> {
  const journal = await Journal.begin(stack.target(), 2);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const at = await withClient(stack.target(), (session) => journal.moment(session));
  await journal.stop();
  return at;
}

const reasonOf = ({ reason, findings }: CloneState) =>
  `${reason} ${findings.map(({ detail }) => detail ?? "").join(" ")}`;

describe("while the storage misbehaves", () => {
  const cases: readonly { readonly fault: StorageFault; readonly says: RegExp }[] = [
    { fault: { kind: "down" }, says: /repository 1: .*(unexpected eof|connection|closed|timeout)/i },
    { fault: { kind: "denied" }, says: /repository 1: .*403/ },
    { fault: { kind: "failing", status: 503, part: 1 }, says: /repository 1: .*503/ },
  ];
  for (const { fault, says } of cases) {
    it(`(${fault.kind}) writers go on, a condition says so, and the archive catches up`, {
      timeout: 300_000,
    }, async () => {
      await stack.storage.misbehave(fault);
      const [written] = await Promise.all([
        write(15),
        (async () => {
          await segments(3);
          await eventually(async () => {
            expect((await stack.conditions()).join("\n")).toMatch(says);
            expect(await stack.metric('ms5_backup_repository_up{repository="1"}')).toBe(0);
            expect(await stack.metric("ms5_archive_waiting_segments")).toBeGreaterThan(0);
          });
        })(),
      ]);
      expect(written.errors).toEqual([]);
      expect(written.writes).toBeGreaterThan(100);
      await stack.storage.misbehave(undefined);
      await eventually(async () => {
        expect(await stack.metric("ms5_archive_waiting_segments")).toBe(0);
        expect(await stack.conditions()).toEqual([]);
      });
      expect(await stack.metric("ms5_archive_gap")).toBe(0);
    });
  }

  it("(slow) writers go on, and so do archive and backups", { timeout: 300_000 }, async () => {
    await stack.storage.misbehave({ kind: "slow", milliseconds: 400 });
    const [written] = await Promise.all([write(15), stack.answer(["backup", "run", "incremental"])]);
    expect(written.errors).toEqual([]);
    await stack.storage.misbehave(undefined);
    await stack.untilArchived();
  });

  it("(full) writers go on, a backup fails and says why, the next one is good", {
    timeout: 300_000,
  }, async () => {
    const before = (await list()).backups.length;
    await stack.storage.misbehave({ kind: "full" });
    const [written, failed] = await Promise.all([write(15), stack.ops(["backup", "run", "incremental"])]);
    expect(written.errors).toEqual([]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/409|AccountCapacityExceeded|archive/);
    await stack.storage.misbehave(undefined);
    expect((await list()).backups).toHaveLength(before);
    await stack.answer(["backup", "run", "incremental"]);
    expect((await list()).backups).toHaveLength(before + 1);
  });

  it("beyond the queue's limit gives up what waits, says what, and makes good for it by a backup", {
    timeout: 400_000,
  }, async () => {
    await stack.storage.misbehave({ kind: "down" });
    const [written] = await Promise.all([write(20), segments(30)]);
    expect(written.errors).toEqual([]);
    await eventually(async () => {
      expect(await stack.metric("ms5_archive_gap")).toBe(1);
      expect((await stack.conditions()).join("\n")).toMatch(/segments up to [0-9A-F]{24} were given up/);
    }, 180_000);
    const before = (await list().catch(() => undefined))?.backups.length;
    await stack.storage.misbehave(undefined);
    await eventually(async () => {
      expect(await stack.metric("ms5_archive_gap")).toBe(0);
      expect(await stack.conditions()).toEqual([]);
    }, 180_000);
    expect((await list()).backups.length).toBeGreaterThan(before ?? 0);
    const at = await moment();
    await stack.untilArchived();
    expect(await stack.restore(at.at, "after-the-gap")).toMatchObject({ phase: "good" });
    expect(await differences(stack.cloneTarget("after-the-gap"), at)).toEqual([]);
    await stack.drop("after-the-gap");
  });
});

describe("keys", () => {
  it("are changed without a gap", { timeout: 400_000 }, async () => {
    await stack.sql("SELECT pg_stat_reset_shared('archiver')");
    // Signed with the account's other key; the first one is replaced when every pod has it.
    const token = stack.storage.token(1);
    await stack.up({ MS5_BACKUPS_STORAGE_KEY: token });
    const mounted = /sig=([^&\s]+)/.exec(token)?.[1] ?? "";
    for (const pod of ["blue-0", "blue-1", "blue-2"]) {
      await eventually(async () => {
        expect(await stack.inPod(pod, ["cat", "/backup-keys/keys.conf"])).toContain(mounted);
      }, 180_000);
    }
    await stack.storage.replaceKey(0);
    await segments(2);
    await stack.untilArchived();
    expect(await stack.sql("SELECT failed_count FROM pg_stat_archiver")).toBe("0");
    expect((await stack.ops(["backup", "check"])).code).toBe(0);
  });

  it("that are valid only later, as with a clock that is behind, are told of, and harm nobody", {
    timeout: 400_000,
  }, async () => {
    const good = stack.storage.token(1);
    await stack.up({ MS5_BACKUPS_STORAGE_KEY: stack.storage.token(1, 3_600_000) });
    await eventually(async () => {
      expect((await stack.conditions()).join("\n")).toMatch(/repository 1: .*403/);
    }, 240_000);
    expect((await write(5)).errors).toEqual([]);
    await stack.up({ MS5_BACKUPS_STORAGE_KEY: good });
    await eventually(async () => expect(await stack.conditions()).toEqual([]), 240_000);
  });
});

describe("when members go away", () => {
  it("a backup goes on with another member", { timeout: 400_000 }, async () => {
    // Slow enough to be met.
    await stack.storage.misbehave({ kind: "slow", milliseconds: 150 });
    const running = stack.ops(["backup", "run", "full"]);
    let maker: string | undefined;
    await eventually(async () => {
      const { items } = await core.listNamespacedPod({
        namespace: database,
        labelSelector: "app.kubernetes.io/name=backup",
      });
      const job = items.find(({ status }) => status?.phase === "Running")?.metadata?.name ?? "";
      const log = await core.readNamespacedPodLog({ namespace: database, name: job });
      expect(log).toMatch(/backup start archive/);
      maker = /(blue-\d) makes a full backup/.exec(log)?.[1];
      expect(maker).toBeDefined();
    });
    await core.deleteNamespacedPod({ namespace: database, name: maker ?? "", gracePeriodSeconds: 0 });
    await stack.storage.misbehave(undefined);
    const { code, stdout, stderr } = await running;
    expect({ code, said: code === 0 ? "" : stderr }).toEqual({ code: 0, said: "" });
    const { label } = JSON.parse(stdout) as { label: string };
    expect((await list()).backups.map((backup) => backup.label)).toContain(label);
  });

  it("a new primary archives what the old one could not", { timeout: 400_000 }, async () => {
    const base = (await list()).backups.at(-1);
    await stack.storage.misbehave({ kind: "down" });
    const before = await moment();
    await segments(4);
    const old = await stack.primary();
    await core.deleteNamespacedPod({ namespace: database, name: old, gracePeriodSeconds: 0 });
    await eventually(async () => expect(await stack.primary()).not.toBe(old));
    await eventually(async () => expect(await stack.sql("SELECT pg_is_in_recovery()")).toBe("f"));
    const after = await moment();
    await stack.storage.misbehave(undefined);
    await eventually(async () => expect(await stack.conditions()).toEqual([]), 180_000);
    await stack.untilArchived();
    // No backup was made meanwhile: the way to both leads through the log of two primaries.
    expect((await list()).backups.at(-1)).toEqual(base);
    expect(await stack.restore(after.at, "after-failover")).toMatchObject({
      phase: "good",
      backup: base?.label,
    });
    expect(await differences(stack.cloneTarget("after-failover"), after)).toEqual([]);
    await stack.drop("after-failover");
    expect(await stack.restore(before.at, "before-failover")).toMatchObject({ phase: "good" });
    expect(await differences(stack.cloneTarget("before-failover"), before)).toEqual([]);
    await stack.drop("before-failover");
  });
});

describe("a restore", () => {
  it("to before the first backup, or after the last write, is refused with what there is", {
    timeout: 300_000,
  }, async () => {
    const early = await stack.restore("2026-01-01T00:00:00Z", "early");
    expect(early).toMatchObject({ code: 2, phase: "failed" });
    expect(reasonOf(early)).toMatch(/the first backup ended at .*: nothing before that can be restored/);
    const late = await stack.restore(new Date(Date.now() + 86_400_000).toISOString(), "late");
    expect(late).toMatchObject({ code: 1, phase: "failed" });
    expect(reasonOf(late)).toMatch(/the archive ends before the target/);
    expect(await stack.answer(["clone", "list"])).toMatchObject({
      clones: [
        { name: "early", ready: false },
        { name: "late", ready: false },
      ],
    });
    expect(
      (await stack.ops(["clone", "copy", "late", "--table", "factory_telemetry.machines", "--yes"])).code,
    ).toBe(2);
    await stack.drop("early");
    await stack.drop("late");
  });

  it("into a volume that is too small does not begin", { timeout: 300_000 }, async () => {
    const small = await stack.restore("latest", "small", { MS5_BACKUPS_CLONE_VOLUME: "320Mi" });
    expect(small).toMatchObject({ code: 2, phase: "failed" });
    expect(reasonOf(small)).toMatch(/MiB free, \d+ MiB needed: name a larger volume/);
    await stack.drop("small");
  });

  it("over a hole in the log ends with the name of what is missing", { timeout: 300_000 }, async () => {
    await segments(2);
    await stack.untilArchived();
    const missing = await stack.sql("SELECT pg_walfile_name(pg_current_wal_lsn())");
    await stack.sql("SELECT pg_logical_emit_message(false, 'e2e', 'x')");
    const at = await moment();
    await segments(2);
    await stack.untilArchived();
    const [blob = ""] = (await stack.blobs("archive/database/")).filter((name) => name.includes(missing));
    expect(blob).not.toBe("");
    await stack.storage.container().deleteBlob(blob);
    const clone = await stack.restore(at.at, "hole");
    expect(clone).toMatchObject({ code: 1, phase: "failed" });
    expect(reasonOf(clone)).toContain(missing);
    await stack.drop("hole");
  });

  it("of a backup with a bad file fails, as does the drill, which tells and records it", {
    timeout: 400_000,
  }, async () => {
    await stack.answer(["backup", "run", "full"]);
    const newest = (await list()).backups.at(-1);
    const bundles = await stack.blobs(`backup/database/${newest?.label}/bundle/`);
    for (const name of bundles) {
      const blob = stack.storage.container().getBlockBlobClient(name);
      const content = await blob.downloadToBuffer();
      content.writeUInt8(content.readUInt8(content.length >> 1) ^ 0xff, content.length >> 1);
      await blob.uploadData(content);
    }
    const clone = await stack.restore("latest", "corrupt");
    expect(clone).toMatchObject({ code: 1, phase: "failed" });
    expect(reasonOf(clone)).toMatch(
      /checksum|corrupt|decrypt|block|ChecksumError|FormatError|CryptoError|decompress/i,
    );
    expect(await stack.answer(["clone", "list"])).toMatchObject({
      clones: [{ name: "corrupt", ready: false }],
    });
    await stack.drop("corrupt");
    const drill = await stack.ops(["drill"]);
    expect(drill.code).not.toBe(0);
    expect(JSON.parse(drill.stdout)).toMatchObject({ passed: false, label: newest?.label });
    expect(await stack.sql("SELECT passed FROM audit.backup_drills ORDER BY drill_id DESC LIMIT 1")).toBe(
      "f",
    );
    await eventually(async () => expect(await stack.metric("ms5_backup_drill_passed")).toBe(0));
    expect((await stack.ops(["backup", "check"])).code).toBe(1);
  });
});
