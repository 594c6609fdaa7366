import { setTimeout as sleep } from "node:timers/promises";
import { applyRules } from "./nft";
import { type ClusterState, ruleset } from "./rules";

/** Before another attempt at what failed, in ms. */
const retryAfter = 500;

/** The rules of one node: applied one after the other, the newest wins, until they are in place. */
export class NodeRules {
  private wanted: string | undefined;
  private applied: string | undefined;
  private busy = false;

  constructor(
    private readonly node: string,
    private readonly netns: string,
    private readonly say: (line: string) => void,
  ) {}

  want(state: ClusterState): void {
    this.wanted = ruleset(this.node, state);
    if (!this.busy) void this.keepUp();
  }

  private async keepUp(): Promise<void> {
    this.busy = true;
    while (this.wanted !== undefined && this.wanted !== this.applied) {
      const rules = this.wanted;
      try {
        await applyRules(this.netns, rules);
        this.applied = rules;
        this.say(`${this.node}: ${rules.match(/^ {2}chain (in|e)gress-/gm)?.length ?? 0} chains in place`);
      } catch (error) {
        this.say(`${this.node}: ${error instanceof Error ? error.message : error}`);
        await sleep(retryAfter);
      }
    }
    this.busy = false;
  }
}
