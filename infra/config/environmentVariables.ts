/** Every key can be set by an environment variable too: CI and containers have no stack file to edit. */
import { UserError } from "../errors";
import { type ConfigLeaf, configLeaves } from "./leaves";

/** Ours, but not of a stack's config: where this machine keeps things. */
const elsewhere: ReadonlySet<string> = new Set([
  "MS5_LOCAL_DIR",
  "MS5_CACHE_DIR",
  "MS5_DATA_DIR",
  "MS5_ROOT",
  "MS5_BENCH_DATABASE_URL",
]);

const leafOf = new Map(configLeaves.map((leaf) => [leaf.environmentVariable, leaf]));

export function applyEnvironmentVariables(
  input: Record<string, unknown>,
  env: Readonly<Record<string, string | undefined>>,
  fromEnv: Map<string, string>,
): void {
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined) continue;
    const leaf = leafOf.get(name);
    if (leaf !== undefined) {
      setPath(input, leaf.path, readText(text, leaf.type));
      fromEnv.set(leaf.key, name);
    } else if (name.startsWith("MS5_") && !elsewhere.has(name)) {
      throw new UserError(`the environment variable ${name} stands for no key of the configuration`, {
        fix: "unset it, or correct its name: docs/config.md lists them all",
      });
    }
  }
}

/** An environment variable is text; numbers, booleans and lists are read as such where the key wants one. */
function readText(text: string, type: ConfigLeaf["type"]): unknown {
  if (type === "integer" && /^\d+$/.test(text)) return Number(text);
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  if (type === "object") return readObject(text);
  if (type === "array") return text.split(",").map((item) => item.trim());
  return text;
}

/** What is no JSON object stays a text, which the schema refuses by name. */
function readObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const child = target[head];
  const next = typeof child === "object" && child !== null ? { ...child } : {};
  target[head] = next;
  setPath(next as Record<string, unknown>, rest, value);
}
