// A real browser: Debian's Chromium, driven by playwright-core.
import { type Browser, chromium } from "playwright-core";
import type { Log } from "../../../ops/log";
import { ensureHostTool } from "../../support/debian";

/**
 * Started without a window. About 400 MB are installed the first time on a machine.
 *
 * @throws UserError (environment) when Chromium is not there and can't be installed
 */
export async function startChromium(log: Log): Promise<Browser> {
  await ensureHostTool("chromium", "chromium", log);
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    // Tests run as root, for which Chromium has no sandbox; they open their own pages only.
    args: ["--no-sandbox"],
  });
}
