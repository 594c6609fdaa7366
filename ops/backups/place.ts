import type { KubeConfig } from "@kubernetes/client-node";
import type { ClusterSettings, StackConfig } from "../../infra/config";
import type { BackupSettings } from "../../infra/database/backups/settings";
import { activeColour } from "../../infra/database/clusterNames";
import { UserError } from "../../infra/errors";
import type { ConnectionTarget, PodRoute } from "../../infra/schema/postgres";
import type { Log } from "../log";
import { stackConfig } from "../stackConfig";

/** A stack with a cluster that is backed up, and the way to it. */
export interface BackupPlace {
  readonly config: StackConfig;
  readonly cluster: ClusterSettings;
  readonly backups: BackupSettings;
  readonly colour: string;
  readonly route: PodRoute;
  /** The database that is backed up. */
  readonly target: ConnectionTarget;
  readonly kubernetes: KubeConfig;
}

/** @throws UserError for a stack without a cluster of its own, or whose config names no storage */
export async function backupPlace(stack: string, log: Log): Promise<BackupPlace> {
  const config = await stackConfig(stack, log);
  const { cluster, database } = config;
  const { target } = database;
  if (cluster === undefined || target?.pod === undefined) {
    throw new UserError(`stack "${stack}" has no cluster of its own`, {
      fix: "name a stack on platform kubernetes or azure; what a server of somebody else's has is in its own backups",
    });
  }
  if (cluster.backups === undefined) {
    throw new UserError(`nothing of stack "${stack}" is backed up: backups.storage is not set`, {
      fix: "docs/backups.md says what to set",
    });
  }
  // The client library of Kubernetes takes a third of a second to load: not for a wrong stack.
  const { kubeConfig } = await import("../../infra/kubernetes/portForward");
  return {
    config,
    cluster,
    backups: cluster.backups,
    colour: activeColour,
    route: target.pod,
    target,
    kubernetes: kubeConfig(target.pod),
  };
}
