// The programs a cluster runs: Kubernetes and CoreDNS built from Go modules, everything else from Debian packages in a
// folder of its own. Nothing is installed on the host, so nothing there can be replaced or start.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode, UserError } from "../../infra/errors";
import { buildFromGo, type GoBuild, goEnvironment } from "../../ops/engine/goBuild";
import { interruptedSearch, pinnedFolder, pinnedVersionOf, withToolLock } from "../../ops/engine/toolCache";
import type { Log } from "../../ops/log";
import { type DebianRoot, ensureDebian } from "../support/debian";
import { otherKubernetes } from "./requirements";

export interface Tools {
  /** Root folder of every machine, read-only there. */
  readonly root: string;
  /** Holds kube-apiserver, kubelet, kubectl and so on. */
  readonly kubernetes: string;
  readonly coredns: string;
}

const kubernetesPrograms = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-proxy",
  "kube-scheduler",
  "kubectl",
  "kubelet",
] as const;

/** Where machine folders and binaries are mounted in the root folder, which is read-only. */
export const machineMount = "/machine";
export const kubernetesMount = "/kubernetes";

const toolsRoot: DebianRoot = {
  name: "cluster",
  packages: [
    "base-files",
    "busybox-static",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "coreutils",
    "dash",
    "etcd-server",
    "iproute2",
    "libc-bin",
    "mount",
    "nftables",
    "procps",
    "runc",
    "util-linux",
    "xfsprogs",
  ],
  recipe: 1,
  async complete(folder) {
    await writeFile(join(folder, "etc/passwd"), "root:x:0:0::/:/bin/sh\n");
    await writeFile(join(folder, "etc/group"), "root:x:0:\n");
    await writeFile(join(folder, "etc/hosts"), "127.0.0.1 localhost\n");
    for (const mount of [machineMount, kubernetesMount, "/mnt"]) {
      await mkdir(join(folder, mount), { recursive: true });
    }
  },
};

/**
 * All of them, made when they are not there yet: about seven minutes on two cores, most of it Kubernetes.
 *
 * @throws UserError (environment) when something can't be had
 */
export async function ensureTools(log: Log, signal?: AbortSignal): Promise<Tools> {
  const root = await ensureDebian(toolsRoot, log);
  const kubernetes = await ensureBuilt(kubernetesBuild(), log, signal);
  const coredns = await ensureBuilt(corednsBuild(), log, signal);
  return { root, kubernetes, coredns: join(coredns, "coredns") };
}

function kubernetesBuild(): GoBuild {
  const version = pinnedVersionOf("kubernetes", "k8s.io/kubernetes");
  const [major = "", minor = ""] = version.split(".");
  // Without these the programs call themselves v0.0.0-master, and clients refuse to speak with them.
  const stamp = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  return {
    name: `Kubernetes ${version}`,
    toolchain: "kubernetes",
    packages: kubernetesPrograms.map((program) => `k8s.io/kubernetes/cmd/${program}`),
    linkerFlags: Object.entries(stamp)
      .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
      .join(" "),
    takes: "four to eight minutes",
    alternative: otherKubernetes,
  };
}

function corednsBuild(): GoBuild {
  return {
    name: `CoreDNS ${pinnedVersionOf("coredns", "github.com/coredns/coredns")}`,
    toolchain: "coredns",
    packages: ["ms5/toolchain/coredns"],
    linkerFlags: "",
    takes: "one to two minutes",
    alternative: otherKubernetes,
  };
}

/** @returns the folder of the programs */
export async function ensureBuilt(
  build: GoBuild,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<string> {
  const folder = pinnedFolder(build.toolchain);
  const bin = join(folder, "bin");
  if (existsSync(bin)) return bin;
  await withToolLock(folder, build.name, log, signal, async () => {
    // Another process may have built it while we waited for the lock.
    if (existsSync(bin)) return;
    const env = await goEnvironment(build.toolchain, signal);
    if (signal?.aborted) throw interruptedSearch(build.name);
    if (env === undefined) {
      throw new UserError(`${build.name} is built from Go modules, and there is no Go 1.21 or newer`, {
        fix: `install Go, or ${otherKubernetes}`,
        exitCode: ExitCode.environment,
      });
    }
    await buildFromGo(build, folder, env, log, signal);
  });
  return bin;
}
