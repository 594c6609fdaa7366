import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findPulumi } from "../../ops/engine/cli";
import { tryInstaller } from "../../ops/engine/install";
import { pulumiFolder } from "../../ops/engine/toolCache";
import type { Log } from "../../ops/log";
import { until } from "./support/sandbox";

// The real installer would download 100 MB where there is a network; install.test.ts has it with a fake download.
vi.mock("../../ops/engine/install", () => ({ tryInstaller: vi.fn() }));

describe("finding the Pulumi CLI", () => {
  let folder: string;
  let bin: string;
  let said: string[];
  let log: Log;
  const before = { PATH: process.env.PATH, MS5_CACHE_DIR: process.env.MS5_CACHE_DIR };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ms5-find-"));
    bin = join(folder, "bin");
    mkdirSync(bin);
    // What scripts need, and neither pulumi nor Go.
    for (const tool of ["sh", "sleep", "cat", "mkdir", "chmod", "cp"])
      symlinkSync(which(tool), join(bin, tool));
    process.env.PATH = bin;
    process.env.MS5_CACHE_DIR = join(folder, "cache");
    said = [];
    log = { info: (line) => said.push(line), warn: (line) => said.push(line) };
    vi.mocked(tryInstaller).mockReset().mockResolvedValue(false);
  });
  afterEach(() => {
    Object.assign(process.env, before);
    if (before.MS5_CACHE_DIR === undefined) delete process.env.MS5_CACHE_DIR;
    rmSync(folder, { recursive: true, force: true });
  });

  const fakePulumi = (version: string) => `#!/bin/sh\necho v${version}\n`;
  /** A go that knows the commands we use; `build` is the shell text of its build, with the output file in $out. */
  const fakeGo = (build: string, version = "go1.26.8") => `#!/bin/sh
case "$1" in
version) echo "go version ${version} linux/amd64" ;;
list) echo "go: downloading one v1" >&2; echo a; echo b; echo c ;;
build) while [ "$1" != -o ]; do shift; done; out=$2; ${build} ;;
esac
`;
  const built = `echo example.com/a >&2; cat > "$out" <<'END'
${fakePulumi("3.256.0")}END
chmod +x "$out"`;

  it("takes the one on the PATH", async () => {
    script("pulumi", fakePulumi("3.300.1"));
    expect(await findPulumi({ log })).toMatchObject({ version: "3.300.1", origin: "path" });
  });

  it("skips one that is too old, and says so", async () => {
    script("pulumi", fakePulumi("3.100.0"));
    mkdirSync(join(pulumiFolder(), "bin"), { recursive: true });
    writeFileSync(join(pulumiFolder(), "bin", "pulumi"), fakePulumi("3.256.0"), { mode: 0o755 });
    const found = await findPulumi({ log });
    expect(found).toMatchObject({ version: "3.256.0", origin: "cache" });
    expect(found.command.command).toBe(join(pulumiFolder(), "bin", "pulumi"));
    expect(said).toEqual(["the pulumi on the PATH is 3.100.0, older than 3.206.0: it is not used"]);
    expect(tryInstaller).not.toHaveBeenCalled();
  });

  it("prefers the official installer to building", async () => {
    script("go", fakeGo("exit 1"));
    vi.mocked(tryInstaller).mockImplementation(async (target) => {
      mkdirSync(join(target, "bin"), { recursive: true });
      writeFileSync(join(target, "bin", "pulumi"), fakePulumi("3.256.0"), { mode: 0o755 });
      return true;
    });
    expect(await findPulumi({ log })).toMatchObject({ origin: "installer" });
  });

  it("builds it once, with progress, and finds it in the cache afterwards", async () => {
    script("go", fakeGo(built));
    expect(await findPulumi({ log })).toMatchObject({ version: "3.256.0", origin: "built" });
    expect(said.join("\n")).toMatch(/of 3 at most[\s\S]*Built Pulumi [\d.]+ in \d+ s/);
    expect(await findPulumi({ log })).toMatchObject({ version: "3.256.0", origin: "cache" });
    expectNoLeftovers();
  });

  it("lets two processes build it once", async () => {
    script("go", fakeGo(`echo built >> ${join(folder, "builds")}; sleep 0.5; ${built}`));
    const origins = await Promise.all([findPulumi({ log }), findPulumi({ log })]);
    expect(origins.map(({ origin }) => origin).sort()).toEqual(["built", "cache"]);
    expectNoLeftovers();
  });

  it("leaves nothing half-built when interrupted, and builds on the next run", async () => {
    const started = join(folder, "started");
    script("go", fakeGo(`echo half > "$out"; echo $$ > ${started}; sleep 60`));
    const controller = new AbortController();
    const find = findPulumi({ log, signal: controller.signal });
    find.catch(() => undefined);
    await until("the build runs", () => existsSync(started));
    controller.abort();
    await expect(find).rejects.toMatchObject({ message: /interrupted/, exitCode: 130 });
    expectNoLeftovers();
    script("go", fakeGo(built));
    expect(await findPulumi({ log })).toMatchObject({ origin: "built" });
  });

  it("sweeps up after a build that was killed with its process", async () => {
    const dead = 2 ** 22 - 1;
    const target = pulumiFolder();
    mkdirSync(join(`${target}.draft-${dead}`, "bin"), { recursive: true });
    writeFileSync(`${target}.lock`, String(dead));
    script("go", fakeGo(built));
    expect(await findPulumi({ log })).toMatchObject({ origin: "built" });
    expectNoLeftovers();
  });

  it("shows the end of Go's output when the build fails", async () => {
    script("go", fakeGo(`echo "no space left on device" >&2; exit 1`));
    await expect(findPulumi({ log })).rejects.toMatchObject({
      message: expect.stringContaining("no space left on device"),
      exitCode: 3,
    });
    expectNoLeftovers();
  });

  it.each([
    ["there is no Go", undefined],
    ["Go is too old to fetch a newer one", "go1.19.8"],
  ])("names the three ways out when %s", async (_, version) => {
    if (version !== undefined) script("go", fakeGo(built, version));
    await expect(findPulumi({ log })).rejects.toMatchObject({
      message: expect.stringContaining("no Pulumi CLI"),
      fix: expect.stringMatching(/\(1\).*PATH.*\(2\).*official installer.*\(3\).*Go/),
      exitCode: 3,
    });
  });

  function script(name: string, text: string): void {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }

  function expectNoLeftovers(): void {
    const entries = readdirSync(dirname(pulumiFolder()));
    expect(entries.filter((name) => name.includes("draft") || name.includes("lock"))).toEqual([]);
  }
});

function which(tool: string): string {
  const folder = (process.env.PATH ?? "").split(":").find((one) => existsSync(join(one, tool)));
  if (folder === undefined) throw new Error(`${tool} is not on the PATH`);
  return join(folder, tool);
}
