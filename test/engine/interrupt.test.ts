import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isAlive } from "../../ops/engine/processes";
import { type Child, Sandbox, until } from "./support/sandbox";

// A program that waits, in the middle, for the test to do its worst.
describe("interrupting at any moment and running again", () => {
  let box: Sandbox;
  let gate: string;
  let children: Child[] = [];
  let count = 0;
  beforeAll(() => {
    box = new Sandbox();
  });
  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    children = [];
  });
  afterAll(() => box.remove());

  /** Starts an up that stands still while it creates `b`. */
  async function begin(json = true): Promise<Child> {
    // Other resources each time: those of the test before are deleted on the way.
    count += 1;
    gate = join(box.folder, `gate-${count}`);
    const child = box.spawn("up", specs(), json);
    children.push(child);
    await until("b is being created", () => existsSync(`${gate}.reached`) || exited(child));
    if (exited(child)) throw new Error(`it ended early: ${child.stderr}${child.stdout}`);
    return child;
  }

  const specs = () => ({
    [`a${count}`]: { value: "a" },
    [`b${count}`]: { value: "b", waitFor: gate, after: `a${count}` },
    [`c${count}`]: { value: "c", after: `b${count}` },
  });

  async function carryOn(): Promise<void> {
    writeFileSync(gate, "");
    const again = await box.run("up", specs());
    expect(again.result).toBe("succeeded");
    expect(again.diagnostics).toEqual([]);
    expect(box.contents()).toEqual({ [`a${count}`]: "a", [`b${count}`]: "b", [`c${count}`]: "c" });
    expect(box.locks()).toEqual([]);
    expect(readFileSync(box.stateFile, "utf8")).not.toContain("pending_operations");
  }

  it("Ctrl-C lets the running step finish, records it, and stops", async () => {
    const child = await begin();
    await expect(box.run("up", specs())).rejects.toThrow(`another run (pid ${engine().cli}, since `);
    // A terminal's Ctrl-C must reach the engine through us alone: two would make it stop at once.
    expect(groupOf(engine().cli)).toBe(engine().cli);
    // As it comes from a terminal under npm and tsx: three times at once.
    for (let i = 0; i < 3; i++) child.kill("SIGINT");
    await until("it says so", () => child.stderr.includes("stopping"));
    writeFileSync(gate, "");
    expect(await child.end()).toBe(130);
    expect(box.contents()).toEqual({ a1: "a", b1: "b" });
    expect(JSON.parse(child.stdout)).toMatchObject({ result: "interrupted", resources: { created: 4 } });
    expect(box.locks()).toEqual([]);
    await carryOn();
  });

  it("a second Ctrl-C stops at once", async () => {
    const child = await begin(false);
    child.kill("SIGINT");
    await until("it says so", () => child.stderr.includes("stopping"));
    await new Promise((resolve) => setTimeout(resolve, 1200));
    child.kill("SIGINT");
    expect(await child.end()).toBe(130);
    expect(child.stdout).toContain("was interrupted; running it again carries on");
    await expectNoProcess();
    await carryOn();
  });

  it("kill -9 of the CLI", async () => {
    const child = await begin();
    process.kill(engine().cli, "SIGKILL");
    expect(await child.end()).toBe(1);
    expect(JSON.parse(child.stdout).diagnostics.at(-1).message).toContain("the Pulumi CLI was killed");
    await expectNoProcess();
    await carryOn();
  });

  it("kill -9 of the dynamic provider", async () => {
    const child = await begin();
    process.kill(engine().provider, "SIGKILL");
    expect(await child.end()).toBe(1);
    expect(JSON.parse(child.stdout).result).toBe("failed");
    await carryOn();
  });

  it("kill -9 of our own process takes the CLI and its provider with it", async () => {
    const child = await begin();
    const { cli, provider } = engine();
    child.kill("SIGKILL");
    await until("the CLI and the provider are gone", () => !isAlive(cli) && !isAlive(provider));
    await carryOn();
    expect((await box.run("up", specs())).resources).toMatchObject({ created: 0, updated: 0, unchanged: 5 });
  });

  /** The CLI holds the lock; the provider is its child. */
  function engine(): { cli: number; provider: number } {
    const [lock = ""] = box.locks();
    const { pid } = JSON.parse(readFileSync(join(box.lockFolder, lock), "utf8")) as { pid: number };
    const provider = childrenOf(pid)[0];
    if (provider === undefined) throw new Error("the CLI has no provider");
    return { cli: pid, provider };
  }

  async function expectNoProcess(): Promise<void> {
    await until("no process of the sandbox is left", () => processesNaming(box.folder).length === 0);
  }

  function exited(child: Child): boolean {
    return !isAlive(child.pid) || child.stderr.includes("UserError");
  }
});

interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly text: string;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const ppid = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8"))?.[1]);
        const environment = readFileSync(`/proc/${name}/environ`, "utf8");
        return [{ pid: Number(name), ppid, text: environment }];
      } catch {
        return [];
      }
    });
}

function groupOf(pid: number): number {
  return Number(/\) \S \d+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
}

function childrenOf(pid: number): number[] {
  return processes()
    .filter((one) => one.ppid === pid)
    .map((one) => one.pid);
}

/** Processes, other than this one, that were started for a folder. */
function processesNaming(folder: string): number[] {
  return processes()
    .filter(({ pid, text }) => pid !== process.pid && text.includes(folder))
    .map(({ pid }) => pid);
}
