import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/**
 * Applies nftables rules in a network namespace, all or none of them.
 *
 * @param netns file that is the namespace, e.g. `/proc/PID/ns/net`
 */
export async function applyRules(netns: string, rules: string): Promise<void> {
  const child = spawn("nsenter", [`--net=${netns}`, "nft", "-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
  const ended = once(child, "close");
  // It may end before it has read everything; why is in what it says.
  child.stdin.on("error", () => undefined);
  child.stdin.end(rules);
  const [said, [code]] = await Promise.all([text(child.stderr), ended]);
  if (code !== 0) throw new Error(`nft ended with ${code}: ${said.trim()}`);
}
