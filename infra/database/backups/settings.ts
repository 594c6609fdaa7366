/** What is backed up where, when and how fast, with everything decided. */
export interface BackupSettings {
  /** One or two, each with every backup and all of the log. */
  readonly stores: readonly BackupStore[];
  /** Folder in each store: two databases never share one. */
  readonly path: string;
  /** undefined: one is made. */
  readonly encryptionKey: string | undefined;
  /** As cron writes them, UTC; undefined: never. */
  readonly schedules: Readonly<Record<BackupKind | "drill", string | undefined>>;
  /** Seconds after which the newest backup is too old: one was left out. */
  readonly maxAge: number;
  /** Full backups that are kept, with what depends on them and the log from the oldest on. */
  readonly keepFull: number;
  readonly keepDifferential: number;
  /** Seconds that a write waits at most until it is on its way to the archive. */
  readonly archiveTimeout: number;
  /** Bytes of log that may wait for the archive; with more, all that waits is given up. */
  readonly queueMaxBytes: number;
  /** That compress and send a backup side by side. */
  readonly processes: number;
  /** Bytes a second that a backup reads from the volume; undefined: as fast as it can. */
  readonly bytesPerSecond: number | undefined;
  /** Of the volumes that clones and drills are restored to. */
  readonly cloneVolume: string;
}

/** A container of Azure Blob Storage, or of what speaks its language. */
export interface BackupStore {
  readonly account: string;
  readonly container: string;
  /** Host, without the account. */
  readonly endpoint: string;
  readonly port: number;
  /** Whether the account is part of the path instead of the host name. */
  readonly pathStyle: boolean;
  /** PEM of the CA that signed its certificate; undefined: a public one. */
  readonly ca: string | undefined;
  /** CIDRs of where it answers: what network policies let pods reach. */
  readonly addresses: readonly string[];
  /** `auto`: the nodes' managed identity, whose tokens renew themselves. */
  readonly keyType: "auto" | "sas" | "shared";
  /** With `sas` and `shared`. */
  readonly key: string | undefined;
}

export const backupKinds = ["full", "differential", "incremental"] as const;
export type BackupKind = (typeof backupKinds)[number];
/** The CronJob that makes them, and that one of them by hand is made from. */
export const cronJobOf = <K extends BackupKind>(kind: K) => `backup-${kind}` as const;
/** pgBackRest's words for them. */
export const backrestTypes = { full: "full", differential: "diff", incremental: "incr" } as const;

/** Name of the database in a repository. Not the colour: blue and green are one database, and share it. */
export const stanza = "database";
