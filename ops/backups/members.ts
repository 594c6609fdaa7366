import { stanza } from "../../infra/database/backups/settings";
import { memberLabels } from "../../infra/database/clusterNames";
import { podExec } from "../../infra/database/podExec";
import { readyPod } from "../../infra/kubernetes/portForward";
import { type RepositoryInfo, readInfo } from "./info";
import type { BackupPlace } from "./place";

/**
 * Runs a command in a member: the primary, or any that is ready.
 *
 * @throws UserError when there is none, or with the command's own words when it fails
 */
export async function inMember(
  { kubernetes, route, colour }: Pick<BackupPlace, "kubernetes" | "route" | "colour">,
  command: string[],
  { who, timeoutMs }: { readonly who: "primary" | "any"; readonly timeoutMs: number },
): Promise<string> {
  const labels = who === "primary" ? route.labels : memberLabels(colour);
  const { namespace } = route;
  const pod = await readyPod(kubernetes, namespace, labels);
  return podExec(kubernetes, { namespace, pod, container: "database" }, command, { timeoutMs });
}

/** What the repositories hold, asked from inside the cluster: the keys stay there. */
export async function repositoryInfo(place: BackupPlace): Promise<RepositoryInfo> {
  const command = ["pgbackrest", `--stanza=${stanza}`, "--log-level-console=off"];
  const question = [...command, "info", "--output=json", "--io-timeout=10"];
  return readInfo(await inMember(place, question, { who: "any", timeoutMs: 60_000 }));
}
