// The containerd folder that every node starts with: its images are imported and unpacked once, not at each `up`.
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../../infra/errors";
import { cacheFolder, draftOf, withToolLock } from "../../../ops/engine/toolCache";
import type { Log } from "../../../ops/log";
import { removeCgroup } from "../cgroups";
import { type Bind, runHost, startMachine } from "../machine";
import { containerdConfig } from "../node";
import { machineMount, type Tools } from "../tools";
import { type Image, writeArchive } from "./archive";

/** Where kubelets look for images in containerd. */
const imageNamespace = "k8s.io";

const lockName = "the images of the cluster";

/** Another containerd may keep its things differently: another folder. */
function storeFolder(tools: Tools): string {
  return join(cacheFolder(), `images-${basename(tools.root)}`);
}

/**
 * Builds and imports the images that the store doesn't have yet.
 *
 * @param nodes first processes of nodes that run already, and get them too
 */
export async function ensureImages(
  images: readonly Image[],
  nodes: readonly number[],
  tools: Tools,
  log: Log,
): Promise<void> {
  const store = storeFolder(tools);
  const missing = () => images.filter((image) => !existsSync(join(store, "have", image.key)));
  if (missing().length === 0) return;
  await withToolLock(store, lockName, log, undefined, async () => {
    await mkdir(join(store, "have"), { recursive: true });
    for (const image of missing()) {
      log.info(`Building the ${image.name} image …`);
      await writeArchive(image, draftOf(join(store, "archive")), join(store, "import.tar"));
      await importHere(store, nodes, tools);
      await writeFile(join(store, "have", image.key), "");
    }
  });
}

/**
 * Imports an archive of somebody else's, for every node that starts from now on and those that run already.
 *
 * @param nodes first processes of the latter
 * @returns the tags it brings
 * @throws UserError (refused) when it is no archive of an image
 */
export async function importArchive(
  file: string,
  nodes: readonly number[],
  tools: Tools,
  log: Log,
): Promise<string[]> {
  const store = storeFolder(tools);
  return withToolLock(store, lockName, log, undefined, async () => {
    await mkdir(store, { recursive: true });
    // The machine that imports sees its own folder only.
    const copy = join(store, "import.tar");
    await rm(copy, { force: true });
    await link(file, copy).catch(() => copyFile(file, copy));
    return importHere(store, nodes, tools);
  });
}

/** Imports `store`/import.tar and removes it. @returns its tags */
async function importHere(store: string, nodes: readonly number[], tools: Tools): Promise<string[]> {
  const cgroup = `ms5-${basename(store)}`;
  // What a killed run may have left.
  await removeCgroup(cgroup);
  await writeFile(join(store, "containerd.toml"), containerdConfig() + keepEverything);
  const machine = await startMachine(
    { name: "images", folder: store, cgroup, init: importScript, binds: [] },
    tools,
  );
  try {
    await machine.run().catch(async (error: unknown) => {
      const said = await readFile(join(store, "log/init.log"), "utf8");
      throw new UserError(`the image cannot be imported: ${said.trim().split("\n").at(-1)}`, {
        fix: "give it an archive as `docker save` writes it, of this machine's architecture",
        cause: error,
      });
    });
    for (const node of nodes) await importIntoNode(node, join(store, "import.tar"));
    return tagsIn(await readFile(join(store, "imported"), "utf8"));
  } finally {
    await removeCgroup(cgroup);
    await rm(join(store, "import.tar"), { force: true });
  }
}

/** Nodes that run share the files of images that have been replaced here since: these must stay. */
const keepEverything = `[plugins."io.containerd.gc.v1.scheduler"]
startup_delay = "24h"
mutation_threshold = 0
deletion_threshold = 0
`;

const importScript = `set -eu
containerd --config=${machineMount}/containerd.toml >${machineMount}/log/containerd.log 2>&1 &
until ctr version >/dev/null 2>&1; do kill -0 $!; sleep 0.05; done
ctr -n ${imageNamespace} images import ${machineMount}/import.tar >${machineMount}/imported
kill $!
wait $! || true
`;

async function importIntoNode(pid: number, file: string): Promise<void> {
  const enter = `nsenter --target ${pid} --mount --net --pid --`;
  // The node doesn't see the file: it gets its content.
  await runHost("sh", ["-ec", `${enter} ctr -n ${imageNamespace} images import - <"$1"`, "sh", file]);
}

/** The tags in what `ctr images import` prints. */
function tagsIn(output: string): string[] {
  return [...output.matchAll(/^unpacking (\S+) \(/gm)].flatMap(([, tag]) => tag ?? []);
}

const content = "io.containerd.content.v1.content";
const databases = [
  "io.containerd.metadata.v1.bolt/meta.db",
  "io.containerd.snapshotter.v1.overlayfs/metadata.db",
];
const snapshots = "io.containerd.snapshotter.v1.overlayfs/snapshots";

/**
 * Gives a node the images, as `containerd/` in its folder: databases of its own, which containerd writes to, and what
 * never changes shared with all others.
 *
 * @returns what has to be mounted into the machine for that
 */
export async function shareStore(machineFolder: string, tools: Tools, log: Log): Promise<Bind[]> {
  const store = storeFolder(tools);
  const from = join(store, "containerd");
  const to = join(machineFolder, "containerd");
  return withToolLock(store, lockName, log, undefined, async () => {
    await mkdir(to, { recursive: true });
    await runHost("cp", ["-al", join(from, content), to]);
    for (const database of databases) {
      await mkdir(dirname(join(to, database)), { recursive: true });
      await copyFile(join(from, database), join(to, database));
    }
    const ids = await readdir(join(from, snapshots));
    return Promise.all(
      ids.map(async (id) => {
        const files = join("containerd", snapshots, id, "fs");
        await mkdir(join(machineFolder, files), { recursive: true });
        await mkdir(join(to, snapshots, id, "work"));
        return { source: join(store, files), target: files };
      }),
    );
  });
}
