import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { loadConfig, type StackConfig } from "../infra/config";
import { UserError } from "../infra/errors";
import { requireStack } from "./engine/backend";
import type { Log } from "./log";
import { projectRoot } from "./paths";

/** The stack of a command that names none: the one that needs nothing but this machine. */
export const defaultStack = "local";

/**
 * The config of a stack for programs that run beside the engine. Read from the stack's file; the engine is asked only
 * when a value there is encrypted, because starting it takes a second.
 *
 * @throws UserError for an unknown stack or a refused config
 */
export async function stackConfig(stack: string, log: Log): Promise<StackConfig> {
  requireStack(projectRoot, stack);
  const file = join(projectRoot, `Pulumi.${stack}.yaml`);
  const raw = rawConfig(await readFile(file, "utf8"), file);
  return loadConfig(stack, raw ?? (await decrypted(stack, log)), process.env);
}

/** Loaded on demand: the SDK behind it is larger than everything an ingest needs. */
async function decrypted(stack: string, log: Log): Promise<Record<string, string>> {
  const { decryptedConfig } = await import("./engine/decryptedConfig");
  return decryptedConfig(stack, log);
}

/**
 * Config values of a stack file the way Pulumi hands them to a program; undefined when one is encrypted.
 *
 * @throws UserError when the file is not YAML
 */
export function rawConfig(text: string, file: string): Record<string, string> | undefined {
  let config: Record<string, unknown>;
  try {
    config = (parse(text) as { config?: Record<string, unknown> } | null)?.config ?? {};
  } catch (error) {
    throw new UserError(`${file} is not YAML: ${(error as Error).message}`, { fix: "correct the file" });
  }
  if (hasSecret(config)) return undefined;
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}

function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, child]) => (key === "secure" && typeof child === "string") || hasSecret(child),
  );
}
