// PostgreSQL's own list of settings (pg_settings of version 17), to refuse what a server would refuse, and to know which
// of them it reads at its start only. A test compares it with a real server's.
import known from "./postgresSettings.json";

interface Setting {
  readonly context: string;
  readonly type: string;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly values?: readonly string[];
}

const settings: Readonly<Record<string, Setting>> = known;

/** Not in PostgreSQL's list because extensions bring them; of these the ones read at the start only. */
const extensionSettingsThatRestart = new Set([
  "timescaledb.max_background_workers",
  "timescaledb.bgw_launcher_poll_time",
  "pg_stat_statements.max",
]);
/** Extensions in the image whose settings are passed on unseen: PostgreSQL takes any name with their prefix. */
const extensions = ["timescaledb", "pgaudit", "pg_stat_statements", "auto_explain"];

/** What is decided elsewhere, and where. */
const decidedElsewhere: Readonly<Record<string, string>> = {
  archive_command: "backups have their own config",
  archive_mode: "backups have their own config",
  cluster_name: "it is the cluster's colour",
  data_directory: "it is part of the image's contract",
  hba_file: "who may log in is decided in infra/database/pgHba.ts",
  hot_standby: "replicas answer reads",
  listen_addresses: "network policies decide who gets here",
  max_connections: "set cluster.maxConnections: the pooler depends on it",
  port: "Services and network policies depend on it",
  primary_conninfo: "Patroni decides whom a replica follows",
  primary_slot_name: "Patroni decides whom a replica follows",
  shared_preload_libraries: "it is part of the image's contract",
  ssl: "every connection is encrypted",
  ssl_ca_file: "certificates are the program's",
  ssl_cert_file: "certificates are the program's",
  ssl_key_file: "certificates are the program's",
  synchronous_standby_names: "Patroni decides who has to confirm a write",
  unix_socket_directories: "Patroni and the agent look there",
  wal_level: "replication depends on it",
};

/** Settings whose change waits for the next start, as an object of their own. */
export function byEffect(parameters: Readonly<Record<string, string | number>>) {
  const restart: Record<string, string> = {};
  const reload: Record<string, string> = {};
  for (const name of Object.keys(parameters).sort()) {
    (readAtStart(name) ? restart : reload)[name] = String(parameters[name]);
  }
  return { settingsThatRestart: restart, settingsThatReload: reload };
}

function readAtStart(name: string): boolean {
  return settings[name]?.context === "postmaster" || extensionSettingsThatRestart.has(name);
}

export interface SettingProblem {
  readonly name: string;
  readonly problem: string;
  readonly example: string | undefined;
}

/** Why PostgreSQL 17, or this program, would not take these; empty when both would. */
export function settingProblems(parameters: Readonly<Record<string, string>>): SettingProblem[] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    const problem = problemOf(name, value);
    return problem === undefined ? [] : [{ name, problem, example: exampleOf(settings[name]) }];
  });
}

function problemOf(name: string, value: string): string | undefined {
  const elsewhere = decidedElsewhere[name];
  if (elsewhere !== undefined) return `is not for the config: ${elsewhere}`;
  const [extension, ofExtension] = name.split(".");
  if (ofExtension !== undefined) {
    return extensions.includes(extension ?? "") ? undefined : `no extension "${extension}" is in the image`;
  }
  const setting = settings[name];
  if (setting === undefined) return `PostgreSQL 17 has no such setting${suggestion(name)}`;
  return valueProblem(setting, value);
}

function valueProblem({ type, values, unit, min, max }: Setting, value: string): string | undefined {
  if (type === "bool") {
    return /^(on|off|true|false|yes|no|1|0)$/i.test(value) ? undefined : `"${value}" is not on or off`;
  }
  if (type === "enum" && values !== undefined) {
    return values.includes(value.toLowerCase()) ? undefined : `"${value}" is not one of ${values.join(", ")}`;
  }
  if (type !== "integer" && type !== "real") return undefined;
  const number = inUnit(value, unit);
  if (number === undefined)
    return `"${value}" is not a number${unit === undefined ? "" : ` with a unit such as ${unit}`}`;
  if ((min !== undefined && number < min) || (max !== undefined && number > max)) {
    return `"${value}" is outside ${min} to ${max}${unit === undefined ? "" : ` (in ${unit})`}`;
  }
  return undefined;
}

/** Bytes, and milliseconds. */
const unitSizes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 2 ** 10,
  "8kB": 2 ** 13,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A value as a number of the setting's own unit, as PostgreSQL reads it; undefined for what it does not take. */
function inUnit(value: string, unit: string | undefined): number | undefined {
  const [, digits, suffix] = /^\s*(-?\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(value) ?? [];
  if (digits === undefined) return undefined;
  if (suffix === undefined || suffix === "") return Number(digits);
  const from = unitSizes[suffix];
  const to = unit === undefined ? undefined : unitSizes[unit];
  const sameKind = isBytes(suffix) === isBytes(unit ?? "");
  return from === undefined || to === undefined || !sameKind ? undefined : (Number(digits) * from) / to;
}

/** A setting of memory or disk in bytes, as PostgreSQL reads it: without a unit, in the setting's own. 0 for what it is not. */
export function settingBytes(name: string, value: string | number): number {
  const unit = settings[name]?.unit;
  return (inUnit(String(value), unit) ?? 0) * (unitSizes[unit ?? ""] ?? 0);
}

function isBytes(unit: string): boolean {
  return unit.endsWith("B");
}

function suggestion(name: string): string {
  const names = Object.keys(settings);
  const near = names.find((known) => known.startsWith(name)) ?? names.find((known) => known.includes(name));
  return near === undefined ? "" : `; is ${near} meant?`;
}

function exampleOf(setting: Setting | undefined): string | undefined {
  if (setting === undefined) return undefined;
  return setting.values?.[0] ?? (setting.type === "bool" ? "on" : setting.min?.toString());
}
