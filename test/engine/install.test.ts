import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tryInstaller } from "../../ops/engine/install";

// The installer of the SDK as it is, in its own process, with a download that this test provides.
describe("the official installer", () => {
  let folder: string;
  let said: string[];
  const log = { info: (line: string) => said.push(line), warn: (line: string) => said.push(line) };
  const before = process.env.NODE_OPTIONS;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ms5-install-"));
    said = [];
  });
  afterEach(() => {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
    rmSync(folder, { recursive: true, force: true });
  });

  it("fills the folder when it works", async () => {
    download(`async () => new Response(\`#!/bin/sh
while [ "$1" != --install-root ]; do shift; done
mkdir -p "$2/bin"
printf '#!/bin/sh\\necho v3.256.0\\n' > "$2/bin/pulumi"
chmod +x "$2/bin/pulumi"
\`)`);
    expect(await install()).toBe(true);
    expect(existsSync(join(folder, "pulumi", "bin", "pulumi"))).toBe(true);
    expect(existsSync(join(folder, "pulumi", "tmp"))).toBe(false);
    expectOnly("pulumi");
  });

  it("is no way without a network, and leaves nothing", async () => {
    download(`async () => { throw new Error("getaddrinfo ENOTFOUND") }`);
    expect(await install()).toBe(false);
    expect(said.join()).toContain("ENOTFOUND");
    expectOnly();
  });

  it("is given up when nothing arrives, with what it started", async () => {
    download("() => new Promise(() => setInterval(() => {}, 1000))");
    expect(await install(1000)).toBe(false);
    expect(said.join()).toContain("nothing arrived");
    expectOnly();
  });

  function install(patienceMs?: number): Promise<boolean> {
    return tryInstaller(join(folder, "pulumi"), "3.256.0", log, undefined, patienceMs);
  }

  /** Replaces `fetch` in the processes started from now on. */
  function download(fetch: string): void {
    writeFileSync(join(folder, "fetch.cjs"), `globalThis.fetch = ${fetch};`);
    process.env.NODE_OPTIONS = `--require ${join(folder, "fetch.cjs")}`;
  }

  function expectOnly(...names: string[]): void {
    expect(readdirSync(folder).sort()).toEqual(["fetch.cjs", ...names].sort());
  }
});
