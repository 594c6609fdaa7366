// Prometheus' own tool for rules, from Debian's package. It runs by chroot: it is linked with Debian trixie's libc.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { runProgram } from "../../../ops/engine/processes";
import type { Log } from "../../../ops/log";
import { ensureDebian, toolPath } from "../../support/debian";
import { monitoringRoot } from "../../support/monitoringRoot";

export class Promtool {
  private constructor(
    private readonly root: string,
    private readonly folder: string,
  ) {}

  /** With these files where it runs: about 25 s and 550 MB the first time on a machine. */
  static async create(files: Readonly<Record<string, string>>, log: Log): Promise<Promtool> {
    const folder = await ensureDebian(monitoringRoot, log);
    const tool = new Promtool(folder, await mkdtemp(join(folder, "tmp/rules-")));
    for (const [name, text] of Object.entries(files)) await tool.write(name, text);
    return tool;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text);
  }

  /** @param file one of those that were written */
  async run(command: readonly string[], file: string): Promise<{ code: number | undefined; output: string }> {
    const path = `/tmp/${basename(this.folder)}/${file}`;
    return runProgram("chroot", [this.root, "/usr/bin/promtool", ...command, path], {
      env: { PATH: toolPath, TZ: "UTC" },
    });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
