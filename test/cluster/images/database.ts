// The image of database and pooler pods in tests, from Debian packages: PostgreSQL 17, TimescaleDB (Apache edition),
// Patroni, pgBackRest, pgaudit, PgBouncer, HAProxy.
import { chown, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Log } from "../../../ops/log";
import { type DebianRoot, debianFolder, ensureDebian } from "../../support/debian";
import { runHost } from "../machine";
import type { Image, ImageConfig } from "./archive";

export const databaseTag = "ms5.local/database:trixie";

/**
 * The same, for pods whose clock can be set (jumpClock in faults.ts): what they run asks a library for the time, not
 * the kernel. That costs a fifth of the simplest queries' speed.
 */
export const clockTag = "ms5.local/database:trixie-clock";

/** Holds what pods of that image add to the time, e.g. `+60`, seen from inside. */
export const clockFile = "/etc/faketimerc";
export const clockLibrary = "faketime/libfaketime.so.1";

/** Whom pods run as; the same ids as in the images that clouds use. */
const user = { name: "postgres", id: 1000, home: "/home/postgres" } as const;

const root: DebianRoot = {
  name: "database",
  packages: [
    "base-files",
    "bash",
    "ca-certificates",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "haproxy",
    "iproute2",
    "libc-bin",
    "libfaketime",
    "openssl",
    "patroni",
    "pgbackrest",
    "pgbouncer",
    "postgresql-17",
    "postgresql-17-pgaudit",
    "postgresql-17-timescaledb",
    "procps",
    "python3-psycopg2",
    "sed",
    "util-linux",
  ],
  recipe: 1,
  async complete(folder) {
    const { name, id, home } = user;
    await writeFile(
      join(folder, "etc/passwd"),
      `root:x:0:0:root:/:/bin/sh\n${name}:x:${id}:${id}:PostgreSQL:${home}:/bin/sh\n`,
    );
    await writeFile(join(folder, "etc/group"), `root:x:0:\n${name}:x:${id}:\n`);
    for (const own of [home, "/run/postgresql"]) {
      await mkdir(join(folder, own), { recursive: true });
      await chown(join(folder, own), id, id);
    }
    await writeCertificateBundle(folder);
    // In a read-only container Python could not keep what it compiles: Patroni would start seconds later each time.
    await runHost("chroot", [folder, "python3", "-m", "compileall", "-q", "-j", "2", "/usr/lib/python3"]);
    await runHost("chroot", [
      ...[folder, "python3", "-c"],
      "import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=2)",
    ]);
  },
};

/** What update-ca-certificates makes of the package's files. */
async function writeCertificateBundle(folder: string): Promise<void> {
  const certificates = join(folder, "usr/share/ca-certificates/mozilla");
  const names = (await readdir(certificates)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(certificates, name), "utf8")));
  await mkdir(join(folder, "etc/ssl/certs"), { recursive: true });
  await writeFile(join(folder, "etc/ssl/certs/ca-certificates.crt"), texts.join(""));
}

const settableClock = [
  // The dynamic linker fills in the folder of the architecture.
  `LD_PRELOAD=/usr/$LIB/${clockLibrary}`,
  `FAKETIME_TIMESTAMP_FILE=${clockFile}`,
  // Seconds after which a change is seen.
  "FAKETIME_CACHE_DURATION=1",
  // Time-outs go by the other clock, which never jumps.
  "FAKETIME_DONT_FAKE_MONOTONIC=1",
];

function run(moreEnvironment: readonly string[]): ImageConfig {
  const path = "PATH=/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return {
    User: `${user.id}:${user.id}`,
    Env: [path, "LANG=C.UTF-8", ...moreEnvironment],
    WorkingDir: user.home,
    Cmd: ["/bin/bash"],
  };
}

export function databaseImage(log: Log): Image {
  return {
    name: "database",
    key: `database-2-${basename(debianFolder(root))}`,
    tags: { [databaseTag]: run([]), [clockTag]: run(settableClock) },
    files: () => ensureDebian(root, log),
  };
}
