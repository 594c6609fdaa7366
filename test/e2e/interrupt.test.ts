// More moments and processes than test/engine/interrupt.test.ts, which runs with every change.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { InterruptedUp } from "../engine/support/interruptedUp";
import { until } from "../engine/support/sandbox";

describe("interrupting at any moment and running again", () => {
  let up: InterruptedUp;
  beforeAll(() => {
    up = new InterruptedUp();
  });
  afterEach(() => up.killAll());
  afterAll(() => up.box.remove());

  it("a second Ctrl-C stops at once", async () => {
    const child = await up.begin(false);
    child.kill("SIGINT");
    await until("it says so", () => child.stderr.includes("stopping"));
    await new Promise((resolve) => setTimeout(resolve, 1200));
    child.kill("SIGINT");
    expect(await child.end()).toBe(130);
    expect(child.stdout).toContain("was interrupted; running it again carries on");
    await up.expectNoProcess();
    await up.carryOn();
  });

  it("kill -9 of the CLI", async () => {
    const child = await up.begin();
    process.kill(up.engine().cli, "SIGKILL");
    expect(await child.end()).toBe(1);
    expect(JSON.parse(child.stdout).diagnostics.at(-1).message).toContain("the Pulumi CLI was killed");
    await up.expectNoProcess();
    await up.carryOn();
  });

  it("kill -9 of the dynamic provider", async () => {
    const child = await up.begin();
    process.kill(up.engine().provider, "SIGKILL");
    expect(await child.end()).toBe(1);
    expect(JSON.parse(child.stdout).result).toBe("failed");
    await up.carryOn();
  });
});
