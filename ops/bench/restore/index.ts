/**
 * Backup and restore of a cluster: points in time under write load, each restored and compared row by row; how fast both are
 * beside pg_basebackup; what writers notice of a backup.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { cronJobOf, stanza } from "../../../infra/database/backups/settings";
import { parseTarget } from "../../../infra/database/backups/target";
import { memberLabels } from "../../../infra/database/clusterNames";
import { podExec } from "../../../infra/database/podExec";
import { UserError } from "../../../infra/errors";
import { readyPod } from "../../../infra/kubernetes/portForward";
import { type Client, withClient } from "../../../infra/schema/postgres";
import { asOwner } from "../../asOwner";
import { beginClone, type CloneState, cloneTarget, dropClone, watchClone } from "../../backups/clones";
import { runJob } from "../../backups/job";
import { repositoryInfo } from "../../backups/members";
import { type BackupPlace, backupPlace } from "../../backups/place";
import type { Log } from "../../log";
import { Random } from "../../telemetry/random";
import { percentile } from "../failover/report";
import { thisMachine } from "../machine";
import { summarise } from "../measure";
import type { Report, Result } from "../report";
import { differences, Journal, type Moment } from "./journal";

export interface RestoreBenchOptions {
  readonly stack: string;
  readonly points: number;
  readonly rows: number;
  readonly seed: number;
  readonly log: Log;
}

/** Seconds in which writers are measured without a backup. */
const calmSeconds = 20;
/** Longest time between two points. */
const longestGapMs = 4_000;
const writers = 4;
const mebibyte = 2 ** 20;

/**
 * @returns the report, and a sentence for each point that was not restored exactly
 * @throws UserError when the stack has no backups, or one of them fails
 */
export async function benchRestore(
  options: RestoreBenchOptions,
): Promise<{ readonly report: Report; readonly wrong: readonly string[] }> {
  const { stack, points, rows, seed, log } = options;
  const place = await backupPlace(stack, log);
  const bench = new RestoreBench(place, log);
  const date = new Date().toISOString();
  const bytes = await bench.fill(rows);
  const backup = await bench.backups(bytes);
  const { moments, exact, wrong, restores } = await bench.points(points, seed);
  const delta = await bench.delta(bytes);
  const speed = (seconds: number) => bytes / mebibyte / seconds;
  const latency = (name: string, values: readonly number[], percent: number): Result => ({
    case: `write, ${name}, p${percent}`,
    unit: "ms",
    ...summarise([percentile(values, percent)]),
  });
  const one = (value: number) => summarise([value]);
  const report: Report = {
    name: "restore",
    machine: thisMachine(),
    date,
    command: `npm run bench -- restore --points ${points} --rows ${rows} --seed ${seed}`,
    settings: {
      database: `${Math.round(bytes / mebibyte)} MiB`,
      writers,
      "acknowledged writes": moments.at(-1)?.written.reduce((sum, count) => sum + count, 0) ?? 0,
      "bandwidth limit": `${Math.round((place.backups.bytesPerSecond ?? 0) / mebibyte)} MiB/s`,
    },
    results: [
      {
        case: `points in time restored exactly, of ${points}`,
        unit: "points",
        ...one(exact),
        goal: `${points} of ${points}`,
        met: exact === points,
      },
      { case: "restore until a server takes writes, and is checked", unit: "s", ...summarise(restores) },
      { case: "pg_basebackup, tar to nowhere", unit: "MiB/s", ...one(speed(backup.baseBackupSeconds)) },
      {
        case: "full backup: compressed, encrypted, to the storage",
        unit: "MiB/s",
        ...one(speed(backup.seconds)),
        ratio: { value: backup.baseBackupSeconds / backup.seconds, of: "pg_basebackup" },
      },
      { case: "pg_basebackup, files into a folder", unit: "MiB/s", ...one(speed(backup.baseFilesSeconds)) },
      {
        case: "full restore",
        unit: "MiB/s",
        ...one(speed(delta.fullSeconds)),
        ratio: { value: backup.baseFilesSeconds / delta.fullSeconds, of: "pg_basebackup" },
      },
      {
        case: "delta restore over an older copy",
        unit: "s",
        ...one(delta.deltaSeconds),
        ratio: { value: delta.fullSeconds / delta.deltaSeconds, of: "full restore" },
        goal: ">= 3×",
        met: delta.fullSeconds / delta.deltaSeconds >= 3,
      },
      latency("no backup", backup.calm, 50),
      latency("during a full backup", backup.busy, 50),
      latency("no backup", backup.calm, 95),
      latency("during a full backup", backup.busy, 95),
    ],
  };
  return { report, wrong };
}

class RestoreBench {
  constructor(
    private readonly place: BackupPlace,
    private readonly log: Log,
  ) {}

  /** Samples of a factory; bytes of the whole server afterwards. */
  async fill(rows: number): Promise<number> {
    this.log.info(`${rows.toLocaleString("en-US")} samples`);
    return asOwner(this.place.target, async (client) => {
      // Of two decimals, as sensors have them. What is there already is enough.
      await client.query(
        `INSERT INTO factory_telemetry.metric_hist (ts, value, machine_id, metric_id)
         SELECT now() - (n / 100) * interval '1 second', round((20 + 5 * random())::numeric, 2), 1 + n % 5, 1 + (n / 5) % 20
         FROM generate_series(1, $1) n ON CONFLICT DO NOTHING`,
        [rows],
      );
      const { rows: sizes } = await client.query<{ bytes: string }>(
        "SELECT sum(pg_database_size(datname)) AS bytes FROM pg_database",
      );
      return Number(sizes[0]?.bytes);
    });
  }

  /** A full backup and pg_basebackup from the same replica, and what writes take without and with the former. */
  async backups(bytes: number) {
    const journal = await Journal.begin(this.place.target, writers);
    try {
      journal.takeLatencies();
      this.log.info(`writers alone for ${calmSeconds} s`);
      await sleep(calmSeconds * 1_000);
      const calm = journal.takeLatencies();
      const seconds = await this.backup(cronJobOf("full"));
      const busy = journal.takeLatencies();
      this.log.info(`full backup: ${seconds.toFixed(1)} s`);
      const tar =
        "pg_basebackup -h /run/postgresql -U replicator -D - -Ft -X none -c fast 2>/dev/null | cat >/dev/null";
      const baseBackupSeconds = await this.inReplica(tar);
      const files =
        "pg_basebackup -h /run/postgresql -U replicator -D /data/bench-basebackup -X none -c fast --waldir /wal/bench-wal 2>&1";
      const clean = "rm -rf /data/bench-basebackup /wal/bench-wal";
      await this.inReplica(clean);
      const baseFilesSeconds = await this.inReplica(files);
      await this.inReplica(clean);
      this.log.info(
        `pg_basebackup of ${Math.round(bytes / mebibyte)} MiB: ${baseBackupSeconds.toFixed(1)} s`,
      );
      return { seconds, calm, busy, baseBackupSeconds, baseFilesSeconds };
    } finally {
      await journal.stop();
    }
  }

  /** Points under load, then each of them restored into a clone of its own and compared. */
  async points(count: number, seed: number) {
    const random = new Random(seed);
    const journal = await Journal.begin(this.place.target, writers);
    const moments: Moment[] = [];
    await withClient(this.place.target, async (client) => {
      for (let point = 0; point < count; point += 1) {
        await sleep(random.between(0, longestGapMs));
        moments.push(await journal.moment(client));
        // Points lie before, between and after backups.
        if (point === Math.floor(count / 2)) await this.backup(cronJobOf("incremental"));
      }
      await journal.stop();
      const last = moments.at(-1);
      if (last !== undefined) await this.untilArchived(client, last);
    });
    const wrong: string[] = [];
    const restores: number[] = [];
    for (const [index, moment] of moments.entries()) {
      const name = `bench-${index + 1}`;
      const state = await this.restore(moment.at, name);
      const found =
        state.phase === "good"
          ? await differences(cloneTarget(this.place, name), moment)
          : [state.reason ?? "failed"];
      wrong.push(...found.map((text) => `point ${index + 1} (${moment.at}): ${text}`));
      if (state.ready_seconds !== undefined) restores.push(state.ready_seconds);
      this.log.info(`point ${index + 1} of ${count}: ${found.length === 0 ? "exact" : found.join("; ")}`);
      await dropClone(this.place, name);
    }
    await journal.remove();
    const exact = moments.length - new Set(wrong.map((text) => text.split(" ")[1])).size;
    return { moments, exact, wrong, restores };
  }

  /** The newest backup over a copy of the one before it, and into an empty folder. Seconds. */
  async delta(bytes: number) {
    const name = "bench-delta";
    const { backups } = await repositoryInfo(this.place);
    const [older, newest] = [backups.at(-2)?.label ?? "", backups.at(-1)?.label ?? ""];
    await this.restore("latest", name);
    const restore = (folder: string, label: string, more = "") =>
      this.timed(
        { pod: `clone-${name}-0`, container: "work" },
        `mkdir -p -m 700 /data/${folder} && pgbackrest --stanza=${stanza} restore --pg1-path=/data/${folder} --set=${label} --type=none --process-max=$(nproc) --log-level-console=warn ${more} >&2`,
      );
    await restore("delta", older);
    const deltaSeconds = await restore("delta", newest, "--delta");
    const fullSeconds = await restore("full", newest);
    await dropClone(this.place, name);
    this.log.info(
      `restore of ${Math.round(bytes / mebibyte)} MiB: full ${fullSeconds.toFixed(1)} s, delta ${deltaSeconds.toFixed(1)} s`,
    );
    return { deltaSeconds, fullSeconds };
  }

  /** Seconds by pgBackRest's own lines, so that the pod's start does not count. */
  private async backup(cronJob: string): Promise<number> {
    const { succeeded, lines } = await runJob(
      this.place.kubernetes,
      this.place.route.namespace,
      cronJob,
      () => undefined,
    );
    const times = lines.flatMap((line) => {
      const at = /^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}) P00/.exec(line)?.[1];
      return at === undefined ? [] : [Date.parse(`${at}Z`)];
    });
    const [first, last] = [times[0], times.at(-1)];
    if (!succeeded || first === undefined || last === undefined) {
      throw new UserError(`${cronJob} failed: ${lines.at(-1)}`, { fix: "npm run ops -- backup check" });
    }
    return (last - first) / 1_000;
  }

  private async restore(to: string, name: string): Promise<CloneState> {
    await beginClone(this.place, name, parseTarget(to));
    return watchClone(this.place, name, () => undefined);
  }

  /** Writers have gone on behind the moment, so that its segment ends by itself. */
  private async untilArchived(client: Client, { lsn }: Moment): Promise<void> {
    for (;;) {
      const { rows } = await client.query<{ there: boolean }>(
        "SELECT coalesce(last_archived_wal >= pg_walfile_name($1), false) AS there FROM pg_stat_archiver",
        [lsn],
      );
      if (rows[0]?.there) return;
      await sleep(300);
    }
  }

  private async inReplica(script: string): Promise<number> {
    const labels = { ...memberLabels(this.place.colour), role: "replica" };
    const pod = await readyPod(this.place.kubernetes, this.place.route.namespace, labels);
    return this.timed({ pod, container: "database" }, script);
  }

  /** Seconds that a shell script takes in a pod, by its own clock. */
  private async timed(where: { pod: string; container: string }, script: string): Promise<number> {
    const place = { namespace: this.place.route.namespace, ...where };
    const text = `set -e; begun=$(date +%s.%N); ${script}; ended=$(date +%s.%N); echo "seconds $begun $ended"`;
    const output = await podExec(this.place.kubernetes, place, ["sh", "-c", text], { timeoutMs: 3_600_000 });
    const [, begun, ended] = /seconds (\S+) (\S+)/.exec(output) ?? [];
    return Number(ended) - Number(begun);
  }
}
