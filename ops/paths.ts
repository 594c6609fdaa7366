import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The checkout this code runs from: the nearest folder above that holds Pulumi.yaml. */
export const projectRoot: string = (() => {
  let folder = __dirname;
  while (!existsSync(join(folder, "Pulumi.yaml"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no Pulumi.yaml above ${__dirname}`);
    folder = parent;
  }
  return folder;
})();

/** What a checkout keeps for itself: embedded database, file backend, passphrase. Never committed. */
export const localFolder: string = process.env.MS5_LOCAL_DIR ?? join(projectRoot, ".local");
