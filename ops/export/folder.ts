/** The folder of an export: what is written there is whole or has no manifest, and what is read is what was written. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ExitCode, UserError } from "../../infra/errors";
import { type Manifest, manifestName, parseManifest, type StoredFile, storedFiles } from "./manifest";

/** Makes the folder, for no one else to read. @throws UserError when something is in it already */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: Error) => {
    throw new UserError(`cannot make the folder ${folder}: ${error.message}`, {
      fix: "name another folder with --out",
      cause: error,
    });
  });
  const [found] = await readdir(folder);
  if (found === undefined) return;
  throw new UserError(`${folder} is not empty: ${found} is in it`, {
    fix: "name a new folder with --out; one without manifest.json is an interrupted export and can be removed",
  });
}

/**
 * Lets `write` write a file under another name, and gives it its own when it is whole.
 *
 * @param write gets the path it must not exist at
 */
export async function writeWhole<T>(
  folder: string,
  file: string,
  write: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, file);
  const partial = `${path}.partial`;
  try {
    const result = await write(partial);
    await rename(partial, path);
    return result;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Writes a file's whole text. */
export async function writeText(folder: string, file: string, text: string): Promise<StoredFile> {
  await writeWhole(folder, file, (path) => writeFile(path, text, { flag: "wx", flush: true }));
  return {
    file,
    bytes: Buffer.byteLength(text),
    sha256: createHash("sha256").update(text).digest("hex"),
  };
}

/** @throws UserError when the folder holds no finished export */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, manifestName);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === "ENOENT"
        ? `${folder} has no ${manifestName}: it is no export, or one that was interrupted`
        : `cannot read ${path}: ${error.message}`,
      { fix: "name the folder of a finished export", cause: error },
    );
  });
  return parseManifest(text, path);
}

/**
 * Reads every file of the export once and compares it with the manifest.
 *
 * @throws UserError (failed) naming each file that is missing, cut off or changed
 */
export async function verifyFiles(folder: string, manifest: Manifest): Promise<void> {
  const problems: string[] = [];
  for (const stored of storedFiles(manifest)) {
    const problem = await problemOf(folder, stored);
    if (problem !== undefined) problems.push(`${stored.file} ${problem}`);
  }
  if (problems.length === 0) return;
  throw new UserError(`the export in ${folder} is damaged: ${problems.join("; ")}. Nothing was imported`, {
    fix: "take another copy of the export: this one cannot be trusted",
    exitCode: ExitCode.refused,
  });
}

async function problemOf(folder: string, { file, bytes, sha256 }: StoredFile): Promise<string | undefined> {
  const path = join(folder, file);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return "is missing";
  if (found.size !== bytes) return `has ${found.size} bytes instead of ${bytes}`;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === sha256 ? undefined : "has another SHA256 than its manifest says";
}
