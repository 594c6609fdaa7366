// Where the state lives and what encrypts its secrets: the user's own choice, or a local file backend.
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ExitCode, UserError } from "../../infra/errors";

/** The checkout and the folder it keeps for itself. Tests use others than ops/paths.ts. */
export interface Place {
  readonly root: string;
  readonly local: string;
}

export interface Backend {
  readonly kind: "user" | "local";
  /** For people; never holds credentials. */
  readonly description: string;
  /** The folder of a `file://` backend, whoever chose it; undefined for the others. */
  readonly folder: string | undefined;
  /** Where the engine finds Pulumi.yaml and the stack's config. */
  readonly workDir: string;
  readonly env: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The backend URL the user has chosen by environment or `pulumi login`; undefined without a choice. */
export function usersBackend(env: Env, projectBackend?: string): string | undefined {
  if (env.PULUMI_BACKEND_URL) return env.PULUMI_BACKEND_URL;
  if (projectBackend !== undefined) return projectBackend;
  const current = loggedInTo(env);
  if (current !== undefined) return current;
  return env.PULUMI_ACCESS_TOKEN ? "https://api.pulumi.com" : undefined;
}

function loggedInTo(env: Env): string | undefined {
  const folder = env.PULUMI_CREDENTIALS_PATH ?? env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  try {
    const credentials: unknown = JSON.parse(readFileSync(join(folder, "credentials.json"), "utf8"));
    const current = (credentials as { current?: unknown } | null)?.current;
    return typeof current === "string" && current !== "" ? current : undefined;
  } catch {
    return undefined;
  }
}

/** The stacks that have a config file in the checkout, by name. */
export function stacksOf(root: string): string[] {
  return readdirSync(root)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}

/** @throws UserError that lists the stacks there are. */
export function requireStack(root: string, stack: string): void {
  const stacks = stacksOf(root);
  if (stacks.includes(stack)) return;
  throw new UserError(`there is no stack "${stack}": Pulumi.${stack}.yaml does not exist`, {
    fix:
      stacks.length === 0
        ? `add a Pulumi.${stack}.yaml next to Pulumi.yaml`
        : `use one of ${stacks.join(", ")}, or add a Pulumi.${stack}.yaml next to Pulumi.yaml`,
  });
}

/**
 * The backend for a run of `stack`. With a backend of the user's, everything is as `pulumi` itself does it.
 *
 * Without one, state and passphrase are kept in the local folder, and the engine works on a copy of the config in
 * there: the passphrase secrets provider writes an `encryptionsalt` into the config file it is given, and the one in
 * git must not change because someone ran it.
 */
export function openBackend(place: Place, stack: string, env: Env, projectBackend?: string): Backend {
  const url = usersBackend(env, projectBackend);
  if (url !== undefined) {
    return {
      kind: "user",
      description: withoutCredentials(url),
      folder: fileFolder(url),
      workDir: place.root,
      env: {},
    };
  }
  const folder = join(place.local, "state");
  const workDir = join(place.local, "engine");
  try {
    mkdirSync(folder, { recursive: true });
    mkdirSync(workDir, { recursive: true });
    copyConfig(place.root, workDir, stack);
    return {
      kind: "local",
      description: `file://${folder}`,
      folder,
      workDir,
      env: { PULUMI_BACKEND_URL: `file://${folder}`, ...passphraseEnv(place.local, env) },
    };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot prepare ${place.local}: ${error instanceof Error ? error.message : error}`, {
      fix: "make the folder writable and see that the disk has space; or choose another one with MS5_LOCAL_DIR",
      exitCode: ExitCode.environment,
      cause: error,
    });
  }
}

function passphraseEnv(local: string, env: Env): Record<string, string> {
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined || env.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined)
    return {};
  return { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(local) };
}

/** The generated passphrase's file, made on first use, readable by its owner alone. */
function passphraseFile(local: string): string {
  const file = join(local, "passphrase");
  if (existsSync(file)) return requirePassphrase(file);
  if (hasState(local)) {
    throw new UserError(`${file} is gone, and the state in ${join(local, "state")} is encrypted with it`, {
      fix: `put the file back, or set PULUMI_CONFIG_PASSPHRASE; if both are lost, remove ${local} and start over`,
      exitCode: ExitCode.environment,
    });
  }
  // Written elsewhere and linked: another run either sees the whole passphrase or makes none of its own.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, randomBytes(32).toString("base64url"), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return file;
}

function requirePassphrase(file: string): string {
  if (readFileSync(file, "utf8").trim() !== "") return file;
  throw new UserError(`${file} is empty`, {
    fix: `put the passphrase back, or remove ${join(file, "..")} and start over`,
    exitCode: ExitCode.environment,
  });
}

function hasState(local: string): boolean {
  const stacks = join(local, "state", ".pulumi", "stacks");
  return existsSync(stacks) && readdirSync(stacks).length > 0;
}

function copyConfig(root: string, workDir: string, stack: string): void {
  const read = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : "");
  // Written only when it differs: another run may be reading it.
  const write = (file: string, text: string) => {
    if (read(file) !== text) writeFileSync(file, text);
  };
  write(join(workDir, "Pulumi.yaml"), withoutMain(read(join(root, "Pulumi.yaml"))));
  const name = `Pulumi.${stack}.yaml`;
  const copy = join(workDir, name);
  write(copy, withSalt(read(join(root, name)), read(copy)));
}

/** The program runs in our process; its folder means nothing next to the copy. */
function withoutMain(project: string): string {
  return project.replace(/^main:.*\n/m, "");
}

/** The committed config with the salt that the engine wrote into the copy of it; text in, text out. */
export function withSalt(committed: string, copy: string): string {
  const salt = /^encryptionsalt:.*$/m;
  const kept = salt.exec(copy)?.[0];
  if (kept === undefined || salt.test(committed)) return committed;
  return `${committed.replace(/\n*$/, "\n")}${kept}\n`;
}

function fileFolder(url: string): string | undefined {
  if (!url.startsWith("file://")) return undefined;
  return url
    .slice("file://".length)
    .replace(/^~(?=\/|$)/, homedir())
    .replace(/\?.*$/, "");
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//").replace(/\?.*$/, "");
}
