// The two ends of the scale; what lies between is in test/e2e/interrupt.test.ts.
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isAlive } from "../../ops/engine/processes";
import { InterruptedUp } from "./support/interruptedUp";
import { until } from "./support/sandbox";

describe("interrupting at any moment and running again", () => {
  let up: InterruptedUp;
  beforeAll(() => {
    up = new InterruptedUp();
  });
  afterEach(() => up.killAll());
  afterAll(() => up.box.remove());

  it("Ctrl-C lets the running step finish, records it, and stops", async () => {
    const child = await up.begin();
    await expect(up.box.run("up", up.specs())).rejects.toThrow(`another run (pid ${up.engine().cli}, since `);
    // A terminal's Ctrl-C must reach the engine through us alone: two would make it stop at once.
    expect(groupOf(up.engine().cli)).toBe(up.engine().cli);
    // As it comes from a terminal under npm and tsx: three times at once.
    for (let i = 0; i < 3; i++) child.kill("SIGINT");
    await until("it says so", () => child.stderr.includes("stopping"));
    up.letGo();
    expect(await child.end()).toBe(130);
    expect(up.box.contents()).toEqual({ a1: "a", b1: "b" });
    expect(JSON.parse(child.stdout)).toMatchObject({ result: "interrupted", resources: { created: 4 } });
    expect(up.box.locks()).toEqual([]);
    await up.carryOn();
  });

  it("kill -9 of our own process takes the CLI and its provider with it", async () => {
    const child = await up.begin();
    const { cli, provider } = up.engine();
    child.kill("SIGKILL");
    await until("the CLI and the provider are gone", () => !isAlive(cli) && !isAlive(provider));
    await up.carryOn();
  });
});

function groupOf(pid: number): number {
  return Number(/\) \S \d+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
}
