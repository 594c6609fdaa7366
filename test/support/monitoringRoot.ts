// Prometheus and all around it from Debian's packages, with Node.js: for tests on this machine, and for the images of the
// test cluster. What runs from here runs by chroot: it is linked with Debian trixie's libc.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DebianRoot } from "./debian";

export const monitoringRoot: DebianRoot = {
  name: "monitoring",
  packages: [
    // /lib64, where the dynamic linker is looked for.
    "base-files",
    "ca-certificates",
    "libc-bin",
    "nodejs",
    "pgbouncer",
    // With promtool.
    "prometheus",
    // With amtool.
    "prometheus-alertmanager",
    "prometheus-node-exporter",
    "prometheus-pgbouncer-exporter",
    "prometheus-postgres-exporter",
    // setpriv.
    "util-linux",
  ],
  recipe: 1,
  async complete(folder) {
    // What looks up its own user's name.
    const users = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n";
    await writeFile(join(folder, "etc/passwd"), users);
    await mkdir(join(folder, "etc/ssl/certs"), { recursive: true });
  },
};
