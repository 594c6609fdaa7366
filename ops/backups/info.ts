/** What the repositories hold, as `pgbackrest info --output=json` says it. */
export interface RepositoryInfo {
  readonly backups: readonly BackupInfo[];
  /** Newest segment in the archive. */
  readonly archivedUntil: string | undefined;
  /** ISO time from which on any point can be restored. */
  readonly restorableFrom: string | undefined;
  /** What is wrong with a repository, by its number. */
  readonly problems: Readonly<Record<string, string>>;
}

export interface BackupInfo {
  readonly label: string;
  readonly repository: number;
  readonly type: "full" | "diff" | "incr";
  /** ISO times. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Bytes of the database, and what this backup takes in the repository. */
  readonly databaseBytes: number;
  readonly storedBytes: number;
  readonly endsAtLsn: string;
}

interface Stanza {
  readonly backup?: readonly {
    readonly label: string;
    readonly type: BackupInfo["type"];
    readonly error?: boolean;
    readonly database: { readonly "repo-key": number };
    readonly info: { readonly size: number; readonly repository: { readonly delta: number } };
    readonly lsn: { readonly stop: string };
    readonly timestamp: { readonly start: number; readonly stop: number };
  }[];
  readonly archive?: readonly { readonly max: string | null }[];
  readonly repo?: readonly {
    readonly key: number;
    readonly status: { readonly code: number; readonly message: string };
  }[];
}

/** Codes that say "nothing here yet" (pgBackRest's source, command/info): a repository that answers. */
const healthy = new Set([0, 1, 2, 3]);

/** Reads what pgBackRest printed. */
export function readInfo(text: string): RepositoryInfo {
  const [stanza = {}] = JSON.parse(text || "[]") as Stanza[];
  const backups = (stanza.backup ?? [])
    .filter(({ error }) => error !== true)
    .map((backup) => ({
      label: backup.label,
      repository: backup.database["repo-key"],
      type: backup.type,
      startedAt: iso(backup.timestamp.start),
      endedAt: iso(backup.timestamp.stop),
      databaseBytes: backup.info.size,
      storedBytes: backup.info.repository.delta,
      endsAtLsn: backup.lsn.stop,
    }));
  const archived = (stanza.archive ?? []).flatMap(({ max }) => max ?? []).sort();
  return {
    backups,
    archivedUntil: archived.at(-1),
    restorableFrom: backups.map(({ endedAt }) => endedAt).sort()[0],
    problems: Object.fromEntries(
      (stanza.repo ?? [])
        .filter(({ status }) => !healthy.has(status.code))
        .map(({ key, status }) => [String(key), status.message.split("\n")[0] ?? ""]),
    ),
  };
}

function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");
}
