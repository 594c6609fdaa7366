import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../infra/errors";
import { findPulumi } from "../../ops/engine/cli";
import { runProgram } from "../../ops/engine/processes";
import { runStack } from "../../ops/engine/stack";
import { committedConfig, Sandbox } from "./support/sandbox";

// Each test carries on with the stack the one before it left.
describe("a stack on the real engine", () => {
  let box: Sandbox;
  beforeAll(() => {
    box = new Sandbox();
  });
  afterAll(() => box.remove());

  it("previews without changing anything", async () => {
    const result = await box.run("preview", { a: { value: 1 } });
    expect(result).toMatchObject({ result: "succeeded", resources: { created: 3, unchanged: 0 } });
    expect(box.contents()).toEqual({});
  });

  it("creates what the program declares", async () => {
    const result = await box.run("up", { a: { value: 1 }, b: { value: { deep: [1, 2] } } });
    expect(result).toMatchObject({
      operation: "up",
      stack: "test",
      result: "succeeded",
      engine: { standIns: [] },
      resources: { created: 4, updated: 0, replaced: 0, deleted: 0, unchanged: 0 },
      diagnostics: [],
    });
    expect(result.changes).toContainEqual({
      op: "create",
      type: "ms5:test:File",
      name: "a",
      diff: [
        { property: "path", after: join(box.files, "a") },
        { property: "value", after: 1 },
      ],
    });
    expect(box.contents()).toEqual({ a: 1, b: { deep: [1, 2] } });
  });

  it("masks secret outputs, and the state holds no plain secret", async () => {
    const result = await box.run("up", { a: { value: 1 }, b: { value: { deep: [1, 2] } } });
    expect(result.outputs).toEqual({ folder: box.files, password: "[secret]" });
    expect(readFileSync(box.stateFile, "utf8")).not.toContain("hunter2");
    expect(result.resources).toEqual({ created: 0, updated: 0, replaced: 0, deleted: 0, unchanged: 4 });
  });

  it("keeps the passphrase for its owner alone, and the committed config as it was", () => {
    const passphrase = join(box.place.local, "passphrase");
    expect(statSync(passphrase).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(box.place.root, "Pulumi.test.yaml"), "utf8")).toBe(committedConfig);
    expect(existsSync(join(box.place.local, "engine", "Pulumi.test.yaml"))).toBe(true);
  });

  it("shows an update as before → after", async () => {
    const specs = { a: { value: 1 }, b: { value: { deep: [1, 3] } } };
    const expected = [
      {
        op: "update",
        type: "ms5:test:File",
        name: "b",
        diff: [{ property: "value.deep[1]", before: 2, after: 3 }],
      },
    ];
    expect((await box.run("preview", specs)).changes).toEqual(expected);
    const result = await box.run("up", specs);
    expect(result.changes).toEqual(expected);
    expect(result.resources).toMatchObject({ updated: 1, unchanged: 3 });
  });

  it("shows drift on refresh, and up puts it right", async () => {
    const specs = { a: { value: 1 }, b: { value: { deep: [1, 3] } } };
    writeFileSync(join(box.files, "a"), "7");
    const drift = await box.run("refresh", specs);
    expect(drift.changes).toEqual([
      { op: "update", type: "ms5:test:File", name: "a", diff: [{ property: "value", before: 1, after: 7 }] },
    ]);
    const up = await box.run("up", specs);
    expect(up.changes).toEqual([
      { op: "update", type: "ms5:test:File", name: "a", diff: [{ property: "value", before: 7, after: 1 }] },
    ]);
    expect(box.contents()).toMatchObject({ a: 1 });
  });

  it("shows drift again and again, and records nothing, where it is told to look only", async () => {
    const specs = { a: { value: 1 }, b: { value: { deep: [1, 3] } } };
    writeFileSync(join(box.files, "a"), "7");
    const before = readFileSync(box.stateFile, "utf8");
    for (const _ of ["once", "twice"]) {
      const drift = await box.run("refresh", specs, { previewOnly: true });
      expect(drift.changes).toEqual([
        {
          op: "update",
          type: "ms5:test:File",
          name: "a",
          diff: [{ property: "value", before: 1, after: 7 }],
        },
      ]);
    }
    expect(readFileSync(box.stateFile, "utf8")).toBe(before);
    writeFileSync(join(box.files, "a"), "1");
  });

  it("keeps what was done before a failure, and carries on from there", async () => {
    const failed = await box.run("up", {
      a: { value: 1 },
      c: { value: "c" },
      d: { value: "d", fail: true, after: "c" },
    });
    expect(failed).toMatchObject({ result: "failed", resources: { created: 1 } });
    expect(failed.diagnostics).toEqual([{ severity: "error", resource: "d", message: "the disk said no" }]);
    const again = await box.run("up", { a: { value: 1 }, c: { value: "c" }, d: { value: "d", after: "c" } });
    expect(again).toMatchObject({ result: "succeeded", resources: { created: 1, deleted: 1, unchanged: 4 } });
    expect(box.contents()).toEqual({ a: 1, c: "c", d: "d" });
  });

  it("explains an operation that an earlier run had begun, and finishes it", async () => {
    const state = JSON.parse(readFileSync(box.stateFile, "utf8"));
    const resource = state.checkpoint.latest.resources.find((one: { urn: string }) =>
      one.urn.endsWith("::a"),
    );
    state.checkpoint.latest.pending_operations = [
      { resource: { ...resource, urn: resource.urn.replace(/a$/, "e") }, type: "creating" },
    ];
    writeFileSync(box.stateFile, JSON.stringify(state));
    const result = await box.run("up", { a: { value: 1 }, e: { value: "e" } });
    expect(box.said).toContain(
      "An earlier run was killed while creating ms5:test:File e; this run finishes it.",
    );
    expect(result).toMatchObject({
      result: "succeeded",
      resources: { created: 1, deleted: 2 },
      diagnostics: [],
    });
    expect(readFileSync(box.stateFile, "utf8")).not.toContain('"creating"');
  });

  it("removes the lock of a dead process, and says so", async () => {
    const dead = spawn("true");
    await new Promise((resolve) => dead.on("exit", resolve));
    lock(dead.pid);
    const result = await box.run("up", { a: { value: 1 }, e: { value: "e" } });
    expect(result.resources).toMatchObject({ unchanged: 4 });
    expect(box.said.join()).toContain(`(pid ${dead.pid}, started 2026-01-02T03:04:05Z) was killed`);
    expect(box.locks()).toEqual([]);
  });

  it("respects the lock of a living run", async () => {
    // Anything that runs and is called pulumi.
    const pulumi = join(box.folder, "pulumi");
    writeFileSync(pulumi, "#!/bin/sh\nread line\n", { mode: 0o755 });
    const living = spawn(pulumi, [], { stdio: ["pipe", "ignore", "ignore"] });
    lock(living.pid);
    try {
      await expect(box.run("up", { a: { value: 1 } })).rejects.toThrow(
        `another run (pid ${living.pid}, since 2026-01-02T03:04:05Z) is deploying stack "test"`,
      );
      expect(box.locks()).toHaveLength(1);
    } finally {
      living.stdin.end();
    }
    await new Promise((resolve) => living.on("exit", resolve));
    rmSync(box.lockFolder, { recursive: true });
  });

  it("respects a lock from another machine", async () => {
    lock(1, "elsewhere");
    await expect(box.run("up", { a: { value: 1 } })).rejects.toThrow(/locked by pid 1 on elsewhere/);
    rmSync(box.lockFolder, { recursive: true });
  });

  it("passes a UserError of the program on as it is", async () => {
    const wrong = new UserError("retention is shorter than the delay", { fix: "set it to 90 d" });
    const program = async () => {
      throw wrong;
    };
    await expect(box.run("up", {}, { program })).rejects.toBe(wrong);
  });

  it("shows an error of the program that nobody expected", async () => {
    const program = async () => {
      throw new Error("undefined is not a function");
    };
    const result = await box.run("up", {}, { program });
    expect(result.result).toBe("failed");
    expect(result.diagnostics.map(({ message }) => message).join()).toContain("undefined is not a function");
    expect(box.contents()).toEqual({ a: 1, e: "e" });
  });

  it("names the stacks there are when one does not exist", async () => {
    const run = runStack("up", "prdo", {
      log: box.log,
      program: box.program({}),
      providers: [],
      place: box.place,
    });
    await expect(run).rejects.toMatchObject({
      message: expect.stringContaining('no stack "prdo"'),
      exitCode: 2,
    });
    await expect(run).rejects.toMatchObject({ fix: expect.stringContaining("use one of test") });
  });

  it("has the state a plain pulumi works on, from the checkout and with its config", async () => {
    const { command } = await findPulumi({ log: box.log });
    const plain = (args: string[]) =>
      runProgram(command.command, [...args, "--stack", "test", "--non-interactive"], {
        cwd: box.place.root,
        env: {
          ...process.env,
          PULUMI_BACKEND_URL: `file://${join(box.place.local, "state")}`,
          PULUMI_CONFIG_PASSPHRASE_FILE: join(box.place.local, "passphrase"),
        },
      });
    expect((await plain(["stack", "output", "password", "--show-secrets"])).output.trim()).toBe("hunter2");
    expect((await plain(["config", "get", "color"])).output.trim()).toBe("blue");
  });

  it("destroys", async () => {
    const result = await box.run("destroy", {});
    expect(result).toMatchObject({ result: "succeeded", resources: { deleted: 4 } });
    expect(box.contents()).toEqual({});
  });

  it("refuses to go on when the passphrase of the state is lost", async () => {
    rmSync(join(box.place.local, "passphrase"));
    await expect(box.run("up", {})).rejects.toMatchObject({
      message: expect.stringContaining("passphrase is gone"),
      exitCode: 3,
    });
  });

  function lock(pid: number | undefined, host = hostname()): void {
    mkdirSync(box.lockFolder, { recursive: true });
    const content = { pid, username: "someone", hostname: host, timestamp: "2026-01-02T03:04:05Z" };
    writeFileSync(join(box.lockFolder, "11111111-2222-3333-4444-555555555555.json"), JSON.stringify(content));
  }
});
