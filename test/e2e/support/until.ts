import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `check` holds. @throws Error with `what` after 90 s */
export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited 90 s in vain: ${what}`);
    await sleep(50);
  }
}
