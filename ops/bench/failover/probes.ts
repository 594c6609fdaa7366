// Looks for a second primary all the time: in each database pod something writes to that pod's own server, so it also
// reaches one that nobody else reaches any more.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterPlan } from "../../../test/cluster/plan";
import { type Member, runningMembers, startInside } from "./inside";
import type { Journal } from "./journal";
import { table } from "./table";

/** The program that clients run, too. */
export const writerProgram = readFileSync(join(__dirname, "writer.py"), "utf8");

const prefix = "probe-";

/** Whether notes with this name are a probe's, not a client's. */
export function isProbe(source: string): boolean {
  return source.startsWith(prefix);
}

/** Milliseconds between two looks for a pod that has no probe yet. */
const lookEveryMs = 250;

export class Probes {
  /** Members by each address they have had. */
  readonly addresses = new Map<string, string>();
  private readonly running = new Map<string, { stop(): void }>();
  private stopped = false;
  private started = 0;

  constructor(
    private readonly plan: ClusterPlan,
    private readonly journal: Journal,
  ) {
    void this.keepRunning();
  }

  stop(): void {
    this.stopped = true;
    for (const probe of this.running.values()) probe.stop();
  }

  /** Whether each member has one: one runs on each node. */
  get complete(): boolean {
    return this.running.size === this.plan.nodes.length;
  }

  private async keepRunning(): Promise<void> {
    while (!this.stopped) {
      if (!this.complete) {
        for (const member of await runningMembers(this.plan)) this.ensure(member);
      }
      await sleep(lookEveryMs, undefined, { ref: false });
    }
  }

  private ensure(member: Member): void {
    this.addresses.set(member.address, member.name);
    if (this.stopped || this.running.has(member.name)) return;
    this.started += 1;
    const settings = {
      // Each begins with 1 again, so each needs another name.
      sources: [`${prefix}${this.started}`],
      connection: { host: "/run/postgresql", user: "postgres", dbname: "ms5" },
      table,
      server: member.name,
    };
    const probe = startInside(member, ["python3", "-c", writerProgram, JSON.stringify(settings)]);
    probe.stdin.on("error", () => undefined);
    probe.stderr.resume();
    createInterface({ input: probe.stdout }).on("line", (line) => {
      const [source = "", ...note] = line.split(" ");
      this.journal.add(source, note.join(" "));
    });
    this.running.set(member.name, { stop: () => probe.stdin.end() });
    // With its pod, as a rule.
    const ended = () => this.running.delete(member.name);
    probe.once("close", ended).once("error", ended);
  }
}
