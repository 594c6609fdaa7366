import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { PulumiCommand } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FoundPulumi } from "../../ops/engine/cli";
import { isAlive } from "../../ops/engine/processes";
import { startProviders } from "../../ops/engine/providers";
import { projectRoot } from "../../ops/paths";
import { until } from "./support/sandbox";

// With a CLI that only notes what it is asked for: no test waits for a network, whether there is one or not.
describe("provider plugins", () => {
  let folder: string;
  let said: string[];
  let cli: FoundPulumi;
  const log = { info: (line: string) => said.push(line), warn: (line: string) => said.push(line) };
  const before = { MS5_CACHE_DIR: process.env.MS5_CACHE_DIR, PULUMI_HOME: process.env.PULUMI_HOME };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ms5-providers-"));
    said = [];
    process.env.MS5_CACHE_DIR = join(folder, "cache");
    process.env.PULUMI_HOME = join(folder, "home");
    fakeCli("exit 1");
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it("uses an official plugin that is installed", async () => {
    mkdirSync(join(folder, "home", "plugins", `resource-random-v${version("random")}`), { recursive: true });
    const providers = await startProviders(["random"], { log, cli });
    expect(providers.standIns).toEqual([]);
    expect(providers.env).not.toHaveProperty("PULUMI_DEBUG_PROVIDERS");
    expect(asked()).toEqual([]);
  });

  it("installs the official plugin where that works", async () => {
    fakeCli("exit 0");
    const providers = await startProviders(["tls"], { log, cli });
    expect(providers.standIns).toEqual([]);
    expect(asked()).toEqual([`plugin install resource tls ${version("tls")}`]);
  });

  it("starts a stand-in otherwise, says so, and remembers that the plugin cannot be had", async () => {
    const providers = await startProviders(["random"], { log, cli });
    try {
      expect(providers.standIns).toEqual(["random"]);
      expect(providers.env.PULUMI_DEBUG_PROVIDERS).toMatch(/^random:\d+$/);
      expect(said.join("\n")).toContain("Stand-ins serve random");
    } finally {
      await providers.stop();
    }
    const again = await startProviders(["random"], { log, cli });
    await again.stop();
    expect(asked()).toHaveLength(1);
  });

  it("gives an install that hangs five seconds", async () => {
    fakeCli("sleep 600");
    const startedAt = Date.now();
    const providers = await startProviders(["random"], { log, cli });
    await providers.stop();
    expect(providers.standIns).toEqual(["random"]);
    expect(Date.now() - startedAt).toBeLessThan(100_000);
  });

  it("leaves no stand-in behind when this process is killed", async () => {
    const script = `
      const { startProviders } = require(${JSON.stringify(join(projectRoot, "ops/engine/providers.ts"))});
      const log = { info() {}, warn() {} };
      const cli = ${JSON.stringify(cli)};
      startProviders(["random"], { log, cli }).then(() => {
        const { execFileSync } = require("node:child_process");
        console.log(execFileSync("pgrep", ["-P", String(process.pid), "-f", "standins/main.ts"], { encoding: "utf8" }));
        process.kill(process.pid, "SIGKILL");
      });`;
    let output = "";
    try {
      output = execFileSync(process.execPath, ["--require", "tsx/cjs", "-e", script], {
        cwd: projectRoot,
        encoding: "utf8",
        stdio: "pipe",
      });
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    const pid = Number(output.trim().split("\n")[0]);
    expect(pid).toBeGreaterThan(0);
    await until("the stand-in is gone", () => !isAlive(pid), 5);
  });

  it("names the stand-ins that do not start", async () => {
    await expect(startProviders(["random", "pulumi"], { log, cli })).rejects.toMatchObject({
      message: expect.stringContaining("the stand-in providers for random, pulumi did not start"),
      exitCode: 3,
    });
  });

  it("puts the helpers of the dynamic providers first on the PATH", async () => {
    const { env } = await startProviders([], { log, cli });
    const [first = ""] = (env.PATH ?? "").split(delimiter);
    const shim = join(first, "pulumi-resource-pulumi-nodejs");
    expect(statSync(shim).mode & 0o111).not.toBe(0);
    const text = readFileSync(shim, "utf8");
    expect(text).toContain(process.execPath);
    expect(text).toContain("dieWithParent.cjs");
    expect(env.MS5_ROOT).toBe(projectRoot);
  });

  function fakeCli(installs: string): void {
    const command = join(folder, "pulumi");
    writeFileSync(command, `#!/bin/sh\necho "$@" >> ${join(folder, "asked")}\n${installs}\n`, {
      mode: 0o755,
    });
    cli = { command: { command, version: null } as PulumiCommand, version: "3.256.0", origin: "path" };
  }

  function asked(): string[] {
    try {
      return readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
    } catch {
      return [];
    }
  }

  function version(name: string): string {
    return JSON.parse(readFileSync(join(projectRoot, "node_modules/@pulumi", name, "package.json"), "utf8"))
      .version;
  }
});
