import { LocalWorkspace } from "@pulumi/pulumi/automation";
import type { Log } from "../log";
import { localFolder, projectRoot } from "../paths";
import { openBackend } from "./backend";
import { findPulumi } from "./cli";

/**
 * A stack's config with its secrets in clear, as a program would get it: `namespace:key` to text. Keep it in memory.
 */
export async function decryptedConfig(stack: string, log: Log): Promise<Record<string, string>> {
  const { command } = await findPulumi({ log });
  const checkout = await LocalWorkspace.create({ workDir: projectRoot, pulumiCommand: command });
  const { backend: projectBackend } = await checkout.projectSettings();
  const backend = openBackend(
    { root: projectRoot, local: localFolder },
    stack,
    process.env,
    projectBackend?.url,
  );
  const workspace = await LocalWorkspace.create({
    workDir: backend.workDir,
    pulumiCommand: command,
    envVars: { ...backend.env },
  });
  const values = await workspace.getAllConfig(stack);
  return Object.fromEntries(Object.entries(values).map(([key, { value }]) => [key, value]));
}
