// What pods have alike: the members, those that backups need beside them, and the pooler's.

/** The image's user, postgres: part of the contract with images (docs/database.md). */
const postgresUser = 1000;

/** Names of what is mounted. */
export const mountNames = (colour: string) =>
  ({
    settings: `${colour}-settings`,
    agent: `${colour}-agent`,
    serverTls: `${colour}-server-tls`,
    robotTls: `${colour}-robot-tls`,
    backupKeys: `${colour}-backup-keys`,
    jobTls: `${colour}-backup-job-tls`,
  }) as const;

/** The user of a pod's processes, and of its volumes; never root. */
export function runAs(user: number) {
  return { runAsNonRoot: true, runAsUser: user, runAsGroup: user, fsGroup: user } as const;
}

export const seccompProfile = { type: "RuntimeDefault" } as const;

export const podSecurity = {
  ...runAs(postgresUser),
  // Changing the owner of every file of a large volume at each start would take minutes.
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile,
} as const;

/** As Pod Security `restricted` wants it, and nothing written but to what is mounted. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** For our programs, in a container that nothing is written to. */
export const programEnvironment = [
  { name: "PYTHONDONTWRITEBYTECODE", value: "1" },
  { name: "PYTHONUNBUFFERED", value: "1" },
  { name: "LC_ALL", value: "C.UTF-8" },
  { name: "HOME", value: "/tmp" },
];

/** A Secret as files. PostgreSQL refuses keys that others may read. */
export function secretVolume(name: string, secretName: string) {
  return { name, secret: { secretName, defaultMode: 0o440 } };
}
