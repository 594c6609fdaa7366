// Docker archives (`docker save`'s format), written by hand: one layer, which may go by several tags.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { runHost } from "../machine";

/** An image of ours, or several of the same files. */
export interface Image {
  readonly name: string;
  /** Changes whenever what is in the image does. */
  readonly key: string;
  /** How containers of it are run, by tag. */
  readonly tags: Readonly<Record<string, ImageConfig>>;
  /** Makes the folder of all its files; it may be one that is kept. */
  files(draft: string): Promise<string>;
}

export interface ImageConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
}

/** Writes the image to `file`; `draft` is an empty folder to work in. */
export async function writeArchive(image: Image, draft: string, file: string): Promise<void> {
  const content = join(draft, "content");
  const parts = join(draft, "parts");
  await mkdir(content);
  await mkdir(parts);
  const files = await image.files(content);
  await tar(files, join(parts, "layer.tar"), "--exclude=./tmp/*", ".");
  const layer = `sha256:${await sha256Of(join(parts, "layer.tar"))}`;
  const manifest = await Promise.all(
    Object.entries(image.tags).map(async ([tag, config]) => {
      const text = configText(config, layer);
      const name = `${createHash("sha256").update(text).digest("hex")}.json`;
      await writeFile(join(parts, name), text);
      return { Config: name, RepoTags: [tag], Layers: ["layer.tar"] };
    }),
  );
  await writeFile(join(parts, "manifest.json"), JSON.stringify(manifest));
  await tar(parts, file, ".");
  await rm(draft, { recursive: true, force: true });
}

function configText(config: ImageConfig, layer: string): string {
  return JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [layer] },
  });
}

/** The same content gives the same bytes. */
async function tar(folder: string, file: string, ...args: string[]): Promise<void> {
  const same = ["--sort=name", "--mtime=@0", "--numeric-owner", "--format=pax"];
  const noTimes = "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime";
  await runHost("tar", [...same, noTimes, "-C", folder, "-cf", file, ...args]);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
