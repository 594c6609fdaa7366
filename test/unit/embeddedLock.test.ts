import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../infra/errors";
import { acquireLock, LockHeldError, lockHolder, processIdentity } from "../../ops/embedded/lock";
import { lockStart } from "../../ops/embedded/startLock";

/** Above any system's largest process id. */
const noProcess = 2 ** 30;

describe("acquireLock", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ms5-lock-"));
    file = join(folder, "deeper", "start.lock");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is held until it is released, and says by whom", () => {
    const lock = acquireLock(file, "postgres@127.0.0.1:5433");
    expect(lock.takenOverFrom).toBeUndefined();
    expect(lockHolder(file)).toMatchObject({ pid: process.pid, note: "postgres@127.0.0.1:5433" });
    expect(() => acquireLock(file, "another")).toThrow(LockHeldError);
    lock.describe("port 7");
    expect(lockHolder(file)?.note).toBe("port 7");
    lock.release();
    expect(lockHolder(file)).toBeUndefined();
    acquireLock(file, "another").release();
    expect(readdirSync(join(folder, "deeper"))).toEqual([]);
  });

  it.each([
    ["a process that is gone", { pid: noProcess, identity: "gone" }],
    ["an earlier process with the pid of a living one", { pid: process.ppid, identity: "an earlier one" }],
  ])("takes it over from %s", (_, dead) => {
    acquireLock(file, "mine").release();
    writeFileSync(file, JSON.stringify({ ...dead, since: "2026-01-01T00:00:00Z", note: "theirs" }));
    expect(lockHolder(file)).toBeUndefined();
    expect(acquireLock(file, "mine").takenOverFrom).toMatchObject({ pid: dead.pid, note: "theirs" });
    expect(lockHolder(file)?.pid).toBe(process.pid);
  });

  it("does not take it from another living process", () => {
    acquireLock(file, "mine").release();
    const other = {
      pid: process.ppid,
      identity: processIdentity(process.ppid),
      since: "now",
      note: "theirs",
    };
    writeFileSync(file, JSON.stringify(other));
    expect(() => acquireLock(file, "mine")).toThrow(`process ${process.ppid}`);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(other);
  });

  it.each(["", "{", '{"pid":"x"}'])("replaces a damaged file %j", (content) => {
    acquireLock(file, "mine").release();
    writeFileSync(file, content);
    expect(acquireLock(file, "mine").takenOverFrom).toBeUndefined();
    expect(lockHolder(file)?.note).toBe("mine");
  });

  it("does not release what another process holds by then", () => {
    const lock = acquireLock(file, "mine");
    const other = {
      pid: process.ppid,
      identity: processIdentity(process.ppid),
      since: "now",
      note: "theirs",
    };
    writeFileSync(file, JSON.stringify(other));
    lock.release();
    expect(lockHolder(file)?.note).toBe("theirs");
  });

  it("tells a second `npm start` where the first one serves", () => {
    const said: string[] = [];
    const log = { info: (line: string) => said.push(line), warn: () => undefined };
    writeFileSync(
      join(folder, "start.lock"),
      JSON.stringify({ pid: noProcess, identity: "gone", since: "2026-01-01T00:00:00Z", note: "theirs" }),
    );
    const lock = lockStart(folder, log);
    expect(said).toEqual([
      expect.stringContaining(`of 2026-01-01T00:00:00Z (process ${noProcess}) did not end`),
    ]);
    lock.describe("postgres@127.0.0.1:5433/template1");
    expect(() => lockStart(folder, log)).toThrow(UserError);
    expect(() => lockStart(folder, log)).toThrow(
      new RegExp(
        `already running for .*: process ${process.pid} since .* \\(postgres@127.0.0.1:5433/template1\\)$`,
      ),
    );
  });
});
