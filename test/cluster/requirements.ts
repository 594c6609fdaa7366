import { existsSync, readFileSync } from "node:fs";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../../ops/log";
import { ensureHostTool } from "../support/debian";

/** The way out where this cluster can't be had. */
export const otherKubernetes =
  "use any other Kubernetes (kind, k3d, …): pulumi config set --stack cluster --path 'ms5-timescale:kubernetes.kubeconfig' FILE, and kubernetes.context likewise";

/**
 * @throws UserError (environment) where namespaces, cgroups or Debian packages can't be had
 */
export async function requireMachine(log: Log): Promise<void> {
  const lacks = whatIsMissing();
  if (lacks !== undefined) {
    throw new UserError(`a cluster of three nodes cannot be made here: ${lacks}`, {
      fix: otherKubernetes,
      exitCode: ExitCode.environment,
    });
  }
  // Network interfaces of the machines; their packages are no part of the tools, which see no other processes.
  await ensureHostTool("ip", "iproute2", log);
}

function whatIsMissing(): string | undefined {
  if (process.platform !== "linux") return `that needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "that needs root, for namespaces, mounts and cgroups";
  if (!existsSync("/usr/bin/apt-get"))
    return "its programs come from Debian packages, and there is no apt-get";
  if (!/^\S+ \S+ cgroup \S*\bfreezer\b/m.test(readFileSync("/proc/mounts", "utf8")))
    return "it needs cgroup v1 (with the freezer), and only v2 is mounted";
  return undefined;
}
