// The pooler's first process, in a real shell, with a PgBouncer that only tells what happens to it.
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { renderRun } from "../../infra/database/poolerRun";

let folder: string;
let child: ChildProcess;
let exited: Promise<number | null>;

const said = () => readFileSync(join(folder, "said"), "utf8");

/** As kubelet does it: everything at once, by a link. */
function mount(name: string, version: string): void {
  mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(version, join(folder, name, "..data_tmp"));
  renameSync(join(folder, name, "..data_tmp"), join(folder, name, "..data"));
}

/**
 * PgBouncer is no shell script here: what a shell starts beside itself ignores SIGINT, and another shell could not trap it.
 *
 * @param atInterrupt what PgBouncer does when it is asked to end
 */
async function start(atInterrupt: string): Promise<void> {
  const program = [
    `#!${process.execPath}`,
    `const say = (what) => require("fs").appendFileSync("${folder}/said", what + "\\n");`,
    'process.on("SIGHUP", () => say("reload"));',
    'process.on("SIGTERM", () => { say("terminate"); process.exit(9); });',
    `process.on("SIGINT", () => { say("interrupt"); ${atInterrupt} });`,
    "setInterval(() => {}, 1000);",
    'say("start " + process.argv[2]);',
  ].join("\n");
  writeFileSync(join(folder, "pgbouncer"), program);
  chmodSync(join(folder, "pgbouncer"), 0o755);
  const script = renderRun([join(folder, "config"), join(folder, "tls")]);
  writeFileSync(join(folder, "run.sh"), script.replace(/sleep \d+/, "sleep 0.1"));
  child = spawn("sh", [join(folder, "run.sh")], {
    stdio: "ignore",
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  exited = new Promise((resolve) => child.once("exit", resolve));
  await vi.waitFor(() => expect(said()).toContain("start"), { timeout: 10_000, interval: 20 });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ms5-pooler-"));
  mount("config", "1");
  mount("tls", "1");
});

afterEach(async () => {
  child.kill("SIGTERM");
  await exited;
  rmSync(folder, { recursive: true, force: true });
});

describe("run.sh", () => {
  it("lets PgBouncer read files again when any of them has changed, once for each change", async () => {
    await start("process.exit(0);");
    const reloads = () => said().match(/reload/g)?.length ?? 0;
    expect(said()).toBe("start /pooler/config/pgbouncer.ini\n");
    mount("tls", "2");
    await vi.waitFor(() => expect(reloads()).toBe(1), { timeout: 10_000 });
    mount("config", "2");
    await vi.waitFor(() => expect(reloads()).toBe(2), { timeout: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(reloads()).toBe(2);
  });

  it("asks PgBouncer to end gently, and waits for as long as that takes", async () => {
    await start('setTimeout(() => { say("done"); process.exit(0); }, 1000);');
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(said().split("\n").slice(1)).toEqual(["interrupt", "done", ""]);
  });

  it("ends when PgBouncer does, with its code, so that the container starts again", async () => {
    await start("process.exit(3)");
    child.kill("SIGINT");
    expect(await exited).toBe(3);
  });
});
