// What of a machine a cluster could leave behind.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { runHost } from "../../cluster/machine";
import type { Tools } from "../../cluster/tools";

/** One line for each thing, so that two states can be compared. */
export async function hostState(tools: Tools): Promise<ReadonlySet<string>> {
  const lines = async (command: string, args: readonly string[]) =>
    (await runHost(command, args)).split("\n").map((line) => `${command}: ${line.trim()}`);
  const rules = await lines("chroot", [tools.root, "nft", "list", "ruleset"]);
  return new Set([
    ...readdirSync("/sys/class/net").map((link) => `link ${link}`),
    ...(await lines("ip", ["-oneline", "address"])).map(withoutLifetimes),
    ...(await lines("ip", ["route", "show", "table", "all"])),
    ...(await lines("ip", ["rule"])),
    ...rules,
    ...readFileSync("/proc/self/mounts", "utf8").split("\n"),
    ...loops(),
    ...readdirSync("/sys/fs/cgroup").flatMap((controller) =>
      readdirSync(`/sys/fs/cgroup/${controller}`, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `cgroup ${controller}/${name}`),
    ),
    ...kernelSettings(),
  ]);
}

function withoutLifetimes(line: string): string {
  return line.replace(/\\.*/, "");
}

function loops(): string[] {
  return readdirSync("/sys/block").flatMap((device) => {
    try {
      return [`loop ${readFileSync(`/sys/block/${device}/loop/backing_file`, "utf8").trim()}`];
    } catch {
      return [];
    }
  });
}

/** Those that Kubernetes sets where it may, and that belong to the whole kernel or to the host's network. */
function kernelSettings(): string[] {
  const files = [
    "kernel/hostname",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/ip_forward",
    "net/ipv4/tcp_orphan_retries",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
  ];
  return files.map((file) => `${file} = ${readFileSync(`/proc/sys/${file}`, "utf8").trim()}`);
}

/** Network, mount and process namespaces of these processes. */
export function namespacesOf(pids: readonly number[]): ReadonlySet<string> {
  const kinds = ["net", "mnt", "pid"];
  return new Set(
    pids.flatMap((pid) =>
      kinds.flatMap((kind) => {
        try {
          return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
        } catch {
          // Ended meanwhile, or a kernel thread.
          return [];
        }
      }),
    ),
  );
}

/** Every process of the machine. */
export function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}
