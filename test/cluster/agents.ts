// Programs of ours that a cluster needs beside Kubernetes: they run on the host, in the cluster's cgroup.
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../ops/paths";
import { toolPath } from "../support/debian";
import { makeCgroup } from "./cgroups";
import type { ClusterPlan } from "./plan";
import type { Tools } from "./tools";

/**
 * Starts them; they are started again whenever they end, until `down`.
 *
 * @param pids first processes of the machines by name
 */
export async function startAgents(
  plan: ClusterPlan,
  pids: ReadonlyMap<string, number>,
  tools: Tools,
): Promise<void> {
  const joins = await makeCgroup(`${plan.cgroup}/agents`);
  const folder = join(plan.folder, "agents");
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  // Agents find the tools' nft, not one of the host's (it may have none).
  await writeFile(join(bin, "nft"), `#!/bin/sh\nexec chroot '${tools.root}' /usr/sbin/nft "$@"\n`, {
    mode: 0o755,
  });
  const start = (name: string, script: string, args: readonly string[]) => {
    const log = openSync(join(folder, `${name}.log`), "a");
    const node = [process.execPath, "--require", require.resolve("tsx/cjs")];
    const child = spawn(
      "sh",
      [
        "-ec",
        'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; while :; do "$@" || true; sleep 1; done',
        "sh",
        ...joins,
        ...["--", ...node, join(__dirname, script), ...args],
      ],
      {
        stdio: ["ignore", log, log],
        detached: true,
        cwd: projectRoot,
        env: { ...process.env, PATH: `${bin}:${toolPath}` },
      },
    );
    child.unref();
  };
  start("volumes", "volumes/agent.ts", [plan.name]);
  start("network-policies", "networkPolicy/agent.ts", [
    ...["--kubeconfig", plan.kubeconfig],
    ...plan.nodes.flatMap(({ name }) => ["--node", name, "--netns", `/proc/${pids.get(name)}/ns/net`]),
  ]);
}
