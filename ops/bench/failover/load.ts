// Everyone who writes while faults happen, and what they noted.
import { setTimeout as sleep } from "node:timers/promises";
import { Clients } from "./clients";
import type { Member } from "./inside";
import { type Acknowledged, Journal, now } from "./journal";
import type { Target } from "./members";
import { Probes } from "./probes";
import { dropTable, makeTable } from "./table";

/** Milliseconds after which a writer without an acknowledged write counts as silent. */
const silenceMs = 2_000;

export class Load {
  private constructor(
    readonly journal: Journal,
    private readonly clients: Clients,
    private readonly probes: Probes,
  ) {}

  /** Makes what it takes: a table, a role, a namespace with a client on each node, a probe in each member. */
  static async start(target: Target, primary: Member): Promise<Load> {
    const password = await makeTable(primary);
    const clients = await Clients.start(target, password);
    const journal = new Journal();
    return new Load(journal, clients, new Probes(target.plan, journal));
  }

  /** Takes in what clients have noted meanwhile; what probes see comes by itself. */
  read(): Promise<void> {
    return this.clients.read(this.journal);
  }

  /** Who does not get through at the moment and why, after a look at the notes. */
  async silent(): Promise<string[]> {
    await this.read();
    const recently = now() - silenceMs;
    const heard = new Set<string>();
    for (const { source, acknowledged } of this.journal.acknowledged.slice(-recentNotes)) {
      if (acknowledged > recently) heard.add(source);
    }
    const silent = this.clients.writers
      .filter((writer) => !heard.has(writer))
      .map((writer) => `nothing is acknowledged to ${writer}: ${this.lastErrorOf(writer)}`);
    return this.probes.complete ? silent : [...silent, "a member has no probe"];
  }

  private lastErrorOf(writer: string): string {
    return this.journal.failed.findLast(({ source }) => source === writer)?.reason ?? "it says nothing";
  }

  /** Waits until everyone gets through. @returns who still does not after `timeoutMs` */
  async untilAllWrite(timeoutMs: number, signal: AbortSignal): Promise<string[]> {
    const deadline = now() + timeoutMs;
    for (;;) {
      const silent = await this.silent();
      if (silent.length === 0 || now() > deadline) return silent;
      await sleep(200, undefined, { signal });
    }
  }

  /** Whether a client has written on a newer timeline than this, after a look at the notes. */
  async wroteAfter(timeline: number): Promise<boolean> {
    await this.read();
    return this.clients.writers.some((writer) => this.journal.timelineOf(writer) > timeline);
  }

  /** The same with members' names instead of the addresses that clients see. */
  named(acknowledged: readonly Acknowledged[]): Acknowledged[] {
    const { addresses } = this.probes;
    return acknowledged.map((one) => ({ ...one, server: addresses.get(one.server) ?? one.server }));
  }

  /** @param primary none when the database is not to be reached: then table and role stay until the next run */
  async end(primary: Member | undefined): Promise<void> {
    this.probes.stop();
    await this.clients.remove();
    if (primary !== undefined) await dropTable(primary);
  }
}

/** More than all writers together note while one of them is not silent yet. */
const recentNotes = 5_000;
