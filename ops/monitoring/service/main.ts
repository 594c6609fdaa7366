// The service as a program of its own, as it runs in the cluster.

import { startService } from "./server";
import { readSettings } from "./settings";

/**
 * Runs until SIGTERM or SIGINT, then finishes what is under way within five seconds.
 * @throws UserError for wrong settings; the socket's error when it cannot listen
 */
export async function runService(): Promise<void> {
  const service = await startService(readSettings(process.env));
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await service.close();
}
