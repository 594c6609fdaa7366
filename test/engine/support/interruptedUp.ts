// An up that a test interrupts in the middle, and what must hold after the next one.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { isAlive } from "../../../ops/engine/processes";
import { type Child, Sandbox, until } from "./sandbox";

/** A program that waits, in the middle, for the test to do its worst. */
export class InterruptedUp {
  readonly box = new Sandbox();
  private gate = "";
  private children: Child[] = [];
  private count = 0;

  /** Ends what a failed test has left. */
  killAll(): void {
    for (const child of this.children) child.kill("SIGKILL");
    this.children = [];
  }

  /** Starts an up that stands still while it creates `b`. */
  async begin(json = true): Promise<Child> {
    // Other resources each time: those of the test before are deleted on the way.
    this.count += 1;
    this.gate = join(this.box.folder, `gate-${this.count}`);
    const child = this.box.spawn("up", this.specs(), json);
    this.children.push(child);
    await until("b is being created", () => existsSync(`${this.gate}.reached`) || exited(child));
    if (exited(child)) throw new Error(`it ended early: ${child.stderr}${child.stdout}`);
    return child;
  }

  specs() {
    const { count } = this;
    return {
      [`a${count}`]: { value: "a" },
      [`b${count}`]: { value: "b", waitFor: this.gate, after: `a${count}` },
      [`c${count}`]: { value: "c", after: `b${count}` },
    };
  }

  /** Lets the step that stands still go on. */
  letGo(): void {
    writeFileSync(this.gate, "");
  }

  /** The next up, which must end where one that was never interrupted does. */
  async carryOn(): Promise<void> {
    this.letGo();
    const { box, count } = this;
    const again = await box.run("up", this.specs());
    expect(again.result).toBe("succeeded");
    expect(again.diagnostics).toEqual([]);
    expect(box.contents()).toEqual({ [`a${count}`]: "a", [`b${count}`]: "b", [`c${count}`]: "c" });
    expect(box.locks()).toEqual([]);
    expect(readFileSync(box.stateFile, "utf8")).not.toContain("pending_operations");
  }

  /** The CLI holds the lock; the provider is its child. */
  engine(): { cli: number; provider: number } {
    const [lock = ""] = this.box.locks();
    const { pid } = JSON.parse(readFileSync(join(this.box.lockFolder, lock), "utf8")) as { pid: number };
    const provider = processes().find((one) => one.ppid === pid)?.pid;
    if (provider === undefined) throw new Error("the CLI has no provider");
    return { cli: pid, provider };
  }

  async expectNoProcess(): Promise<void> {
    await until(
      "no process of the sandbox is left",
      () => !processes().some(({ pid, text }) => pid !== process.pid && text.includes(this.box.folder)),
    );
  }
}

function exited(child: Child): boolean {
  return !isAlive(child.pid) || child.stderr.includes("UserError");
}

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
