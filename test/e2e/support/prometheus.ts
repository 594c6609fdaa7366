// A real Prometheus, and the exporters and the pooler it asks, from Debian's packages. They run by chroot on loopback, as a
// user that is not root, and end with the process that started them.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, closeSync, openSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { poolerDatabases } from "../../../infra/database/poolerPlaces";
import type { ConnectionTarget } from "../../../infra/schema/postgres";
import type { Log } from "../../../ops/log";
import { ensureDebian, toolPath } from "../../support/debian";
import { freePort } from "../../support/freePort";
import { monitoringRoot } from "../../support/monitoringRoot";

/** No user of the machine. */
const user = 64_018;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;

/** A program that listens on loopback. */
export interface Running {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly pid: number;
  /** Everything it has said. */
  log(): string;
  stop(): Promise<void>;
}

export interface ScrapeTarget {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ScrapeJob {
  readonly name: string;
  /** Between two scrapes: in a test far shorter than in production. */
  readonly seconds: number;
  /** @default "/metrics" */
  readonly path?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly targets: readonly ScrapeTarget[];
}

export interface PrometheusOptions {
  readonly jobs: readonly ScrapeJob[];
  /** Files of rules: name -> text, as `renderRules` gives it. */
  readonly rules: Readonly<Record<string, string>>;
  /** Between two evaluations of rules. */
  readonly evaluationSeconds: number;
}

/** The programs of the folder. What it has started ends with `stop`. */
export class MonitoringTools {
  private readonly running: Running[] = [];

  private constructor(
    private readonly root: string,
    private readonly folder: string,
  ) {}

  /**
   * The folder, made when it is not there yet: about 30 s and 400 MB.
   *
   * @throws UserError (environment) where it cannot be made: no Debian packages.
   */
  static async create(log: Log): Promise<MonitoringTools> {
    const folder = await ensureDebian(monitoringRoot, log);
    const place = await mkdtemp(join(folder, "tmp/monitoring-"));
    chownSync(place, user, user);
    return new MonitoringTools(folder, place);
  }

  /** Scrapes itself, too. */
  async prometheus({ jobs, rules, evaluationSeconds }: PrometheusOptions): Promise<Running> {
    const own = await freeAddress();
    const itself: ScrapeJob = { name: "prometheus", seconds: evaluationSeconds, targets: [{ address: own }] };
    for (const [name, text] of Object.entries(rules)) await this.write(`rules/${name}`, text);
    await this.write(
      "prometheus.yml",
      stringify({
        global: { evaluation_interval: `${evaluationSeconds}s` },
        rule_files: [`${this.inside("rules")}/*.yml`],
        scrape_configs: [itself, ...jobs].map((job) => ({
          job_name: job.name,
          scrape_interval: `${job.seconds}s`,
          scrape_timeout: `${job.seconds}s`,
          metrics_path: job.path ?? "/metrics",
          params: Object.fromEntries(
            Object.entries(job.parameters ?? {}).map(([name, value]) => [name, [value]]),
          ),
          static_configs: job.targets.map(({ address, labels }) => ({ targets: [address], labels })),
        })),
      }),
    );
    const program = await this.spawn("prometheus", own, [
      ...["/usr/bin/prometheus", `--config.file=${this.inside("prometheus.yml")}`],
      ...[`--storage.tsdb.path=${this.inside("data")}`, `--web.listen-address=${own}`],
    ]);
    await untilAnswers(program, "/-/ready");
    return program;
  }

  /** node_exporter of this machine. It looks at this machine's /proc and /sys. */
  async nodeExporter(): Promise<Running> {
    return this.start("node-exporter", "/metrics", (address) => [
      "/usr/bin/prometheus-node-exporter",
      `--web.listen-address=${address}`,
    ]);
  }

  /** postgres_exporter that asks whom `/probe?target=HOST:PORT/DATABASE` names, as the target's user. */
  async postgresExporter({ user, password }: ConnectionTarget): Promise<Running> {
    await this.write(
      "postgres-exporter.yml",
      stringify({
        auth_modules: {
          members: {
            type: "userpass",
            userpass: { username: user, password },
            options: { sslmode: "require" },
          },
        },
      }),
    );
    return this.start("postgres-exporter", "/", (address) => [
      "/usr/bin/prometheus-postgres-exporter",
      `--config.file=${this.inside("postgres-exporter.yml")}`,
      `--web.listen-address=${address}`,
    ]);
  }

  /** PgBouncer with the databases that our poolers have, both of which lead to the target's, for the target's user. */
  async pooler(target: ConnectionTarget): Promise<ConnectionTarget> {
    const address = await freeAddress();
    const port = Number(address.split(":")[1]);
    const server = `host=127.0.0.1 port=${target.port} dbname=${target.database}`;
    await this.write("users.txt", `"${target.user}" "${target.password ?? ""}"\n`);
    await this.write(
      "pgbouncer.ini",
      [
        "[databases]",
        ...Object.values(poolerDatabases).map((name) => `${name} = ${server}`),
        "[pgbouncer]",
        `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =`,
        "pool_mode = transaction\nmax_db_connections = 20\ndefault_pool_size = 10\nmax_client_conn = 100",
        "ignore_startup_parameters = extra_float_digits",
        `auth_type = scram-sha-256\nauth_file = ${this.inside("users.txt")}`,
        `stats_users = ${target.user}`,
        "server_tls_sslmode = require",
        "",
      ].join("\n"),
    );
    const pooler = await this.spawn("pgbouncer", address, [
      "/usr/sbin/pgbouncer",
      this.inside("pgbouncer.ini"),
    ]);
    await untilSaid(pooler, "process up");
    return { ...target, host: "127.0.0.1", port, tls: "disable", database: poolerDatabases.readWrite };
  }

  /** pgbouncer_exporter of such a pooler. */
  async poolerExporter({ port, user, password }: ConnectionTarget): Promise<Running> {
    // Not an argument: those everybody on the machine can read.
    const environment = {
      PGBOUNCER_EXPORTER_CONNECTION_STRING: `postgres://${user}:${password ?? ""}@127.0.0.1:${port}/pgbouncer?sslmode=disable`,
    };
    return this.start(
      "pgbouncer-exporter",
      "/metrics",
      (address) => ["/usr/bin/prometheus-pgbouncer-exporter", `--web.listen-address=${address}`],
      environment,
    );
  }

  async stop(): Promise<void> {
    // Who asks goes before who is asked.
    for (const program of this.running.reverse()) await program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private inside(name: string): string {
    return `/tmp/${basename(this.folder)}/${name}`;
  }

  /** A file that the programs read, and nobody else. */
  private async write(name: string, text: string): Promise<void> {
    const file = join(this.folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    chmodSync(file, 0o600);
    chownSync(file, user, user);
  }

  private async start(
    name: string,
    ready: string,
    command: (address: string) => string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Running> {
    const address = await freeAddress();
    const program = await this.spawn(name, address, command(address), environment);
    await untilAnswers(program, ready);
    return program;
  }

  private async spawn(
    name: string,
    address: string,
    command: string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Running> {
    const logFile = join(this.folder, `${name}.log`);
    const output = openSync(logFile, "w");
    const child = spawn(
      "unshare",
      [
        // What is mounted is seen by this program alone, and gone with it. `exec` all along: one process, the program.
        ...["--mount", "sh", "-c"],
        'mount -t proc proc "$0/proc" && mount --bind /sys "$0/sys" && exec chroot "$0" setpriv "$@"',
        ...[
          this.root,
          `--reuid=${user}`,
          `--regid=${user}`,
          "--clear-groups",
          "--pdeathsig=KILL",
          ...command,
        ],
      ],
      {
        cwd: "/",
        stdio: ["ignore", output, output],
        env: { PATH: toolPath, LC_ALL: "C.UTF-8", TZ: "UTC", ...environment },
      },
    );
    closeSync(output);
    const program: Running = {
      address,
      url: `http://${address}`,
      pid: child.pid ?? -1,
      log: () => readFileSync(logFile, "utf8"),
      stop: () => end(child),
    };
    this.running.push(program);
    return program;
  }
}

async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}

async function untilAnswers(program: Running, path: string): Promise<void> {
  await until(program, async () => {
    const answer = await fetch(program.url + path);
    await answer.text();
    return answer.ok;
  });
}

async function untilSaid(program: Running, text: string): Promise<void> {
  await until(program, async () => program.log().includes(text));
}

async function until(program: Running, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    if (await isReady().catch(() => false)) return;
    if (Date.now() > deadline)
      throw new Error(`${program.address} is not ready:\n${program.log().slice(-2000)}`);
    await sleep(100);
  }
}

async function end(child: ChildProcess): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await Promise.race([gone, sleep(stopTimeoutMs, undefined, { ref: false })]);
  }
}
