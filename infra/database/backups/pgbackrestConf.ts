// What pgBackRest reads: one file for all that calls it in the cluster, and one beside it with the secrets. Every line
// that is no default carries its reason.
import { podPaths } from "../patroniConfig";
import { type BackupSettings, type BackupStore, stanza } from "./settings";

/** Where things are in pods that call pgBackRest; infra/database/agent/settings.py has some of them too. */
export const backupPaths = {
  conf: `${podPaths.settings}/pgbackrest.conf`,
  /** Folder of the secrets; pgBackRest reads every .conf in it. */
  keys: "/backup-keys",
  /** On the volume of the log that it is about: what waits there must outlive the pod. */
  spool: "/wal/pgbackrest",
  job: "/tls/job",
} as const;

/** Names of what is in the keys' Secret. */
export const keysFile = "keys.conf";

/** The environment of every container that may call it. */
export const backrestEnvironment = [
  { name: "PGBACKREST_CONFIG", value: backupPaths.conf },
  { name: "PGBACKREST_CONFIG_INCLUDE_PATH", value: backupPaths.keys },
];

/** PEM files of stores with a CA of their own, beside the config. */
export function storeCaFiles(settings: BackupSettings): Record<string, string> {
  return Object.fromEntries(
    settings.stores.flatMap(({ ca }, index) => (ca === undefined ? [] : [[caFile(index), ca]])),
  );
}

function caFile(index: number): string {
  return `storage-${index + 1}-ca.pem`;
}

/** pgbackrest.conf. */
export function renderPgbackrestConf(settings: BackupSettings): string {
  const { processes, queueMaxBytes } = settings;
  return `# Written by the stack (infra/database/backups/pgbackrestConf.ts); secrets are in ${backupPaths.keys}.
[global]
${settings.stores.map((store, index) => renderStore(store, index, settings)).join("\n")}
# Smaller and faster than the default gz.
compress-type=zst
process-max=${processes}
# A checkpoint at once: waiting for the next one would take longer than most backups.
start-fast=y
spool-path=${backupPaths.spool}/spool
lock-path=${podPaths.run}/pgbackrest
log-path=${backupPaths.spool}/log
# A member that went without a word would hold its lock at the others for two hours, the kernel's default.
tcp-keep-alive-idle=3
tcp-keep-alive-interval=2
tcp-keep-alive-count=3
# Containers' logs are what is read.
log-level-console=info
log-level-file=off

[global:archive-push]
# Segments are sent by a process of its own, many at a time.
archive-async=y
# With more, all that waits is given up: writers must not stop because the storage is away. An alert says so before.
archive-push-queue-max=${queueMaxBytes}
# How long PostgreSQL's archiver waits for one segment; it asks again. Long waits would hold up its end.
archive-timeout=10
# By default a storage that is away is tried for a minute, and nobody hears of it meanwhile.
io-timeout=15
log-level-console=warn
# Where the agent reads what was given up.
log-level-file=warn

[global:archive-get]
# Recovery does not wait for each segment: the next ones are fetched meanwhile.
archive-async=y

[global:server]
tls-server-address=0.0.0.0
tls-server-ca-file=${podPaths.ca}/ca.pem
tls-server-cert-file=${podPaths.serverTls}/tls.crt
tls-server-key-file=${podPaths.serverTls}/tls.key
# Members among themselves: whoever makes a backup begins and ends it on the primary.
tls-server-auth=patroni=${stanza}
log-level-console=warn

[${stanza}]
pg1-path=${podPaths.pgdata}
pg1-socket-path=${podPaths.socket}
pg1-user=postgres
`;
}

function renderStore(store: BackupStore, index: number, settings: BackupSettings): string {
  const lines = [
    "type=azure",
    `path=${settings.path}`,
    `azure-account=${store.account}`,
    `azure-container=${store.container}`,
    `azure-endpoint=${store.endpoint}`,
    `azure-key-type=${store.keyType}`,
    ...(store.pathStyle ? ["azure-uri-style=path"] : []),
    ...(store.port === 443 ? [] : [`storage-port=${store.port}`]),
    ...(store.ca === undefined ? [] : [`storage-ca-file=${podPaths.settings}/${caFile(index)}`]),
    "cipher-type=aes-256-cbc",
    `retention-full=${settings.keepFull}`,
    `retention-diff=${settings.keepDifferential}`,
    // Thousands of chunks and indexes are small files: together they are one object.
    "bundle=y",
    // Of a large file that changed a little, only the changed blocks are stored again.
    "block=y",
  ];
  return lines.map((line) => `repo${index + 1}-${line}`).join("\n");
}

/** The file of secrets. */
export function renderKeys(settings: BackupSettings, encryptionKey: string): string {
  const lines = settings.stores.flatMap(({ key }, index) => [
    ...(key === undefined ? [] : [`repo${index + 1}-azure-key=${key}`]),
    `repo${index + 1}-cipher-pass=${encryptionKey}`,
  ]);
  return ["[global]", ...lines, ""].join("\n");
}

/** PostgreSQL's settings for archiving. */
export function archivingParameters(settings: BackupSettings | undefined): Record<string, string | number> {
  if (settings === undefined) return {};
  return {
    archive_mode: "on",
    // A server that is to end at once has given its log to the next primary, which archives it (agent/backups.py): by an
    // exit code above 128 the archiver ends too, instead of trying three times.
    archive_command: `test ! -e ${podPaths.run}/leaving || exit 200; exec pgbackrest --stanza=${stanza} archive-push "%p"`,
    // What is written in quiet hours is archived too.
    archive_timeout: `${settings.archiveTimeout}s`,
  };
}
