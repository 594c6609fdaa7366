import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../../infra/errors";
import type { Log } from "../../../ops/log";
import { runningPid } from "../machine";
import type { ClusterPlan } from "../plan";
import { ensureTools, type Tools } from "../tools";
import { busyboxImage } from "./busybox";
import { corednsImage } from "./coredns";
import { databaseImage } from "./database";
import { monitoringImage } from "./monitoring";
import { ensureImages, importArchive } from "./store";

/** Builds what is missing of our images, for the nodes to come and those that run. */
export async function ensureOurImages(plan: ClusterPlan, tools: Tools, log: Log): Promise<void> {
  const images = [busyboxImage(tools), corednsImage(tools), databaseImage(log), monitoringImage(log)];
  await ensureImages(images, runningNodes(plan), tools, log);
}

/** `image build`. */
export async function buildImages(plan: ClusterPlan, log: Log): Promise<void> {
  await ensureOurImages(plan, await ensureTools(log), log);
}

/**
 * `image load FILE`.
 *
 * @returns the tags it brings
 * @throws UserError (refused) when there is no such file
 */
export async function loadImage(plan: ClusterPlan, file: string, log: Log): Promise<string[]> {
  if (!existsSync(file)) {
    throw new UserError(`${file} is not there`, { fix: "name an archive as docker save writes it" });
  }
  return importArchive(resolve(file), runningNodes(plan), await ensureTools(log), log);
}

function runningNodes(plan: ClusterPlan): number[] {
  return plan.nodes.flatMap((node) => runningPid(node) ?? []);
}
