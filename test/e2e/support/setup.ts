import { UserError } from "../../../infra/errors";
import { findPulumi } from "../../../ops/engine/cli";
import { createLog } from "../../../ops/log";
import { prepareCluster } from "../../cluster";
import { ensureRoot } from "./rootfs";
import { sweepLeftovers } from "./server";

/** Once before all test files: what the servers run from, and the engine. */
export default async function setup(): Promise<void> {
  try {
    const log = createLog({ quiet: false });
    await ensureRoot(log);
    sweepLeftovers();
    // Building it can take minutes: not within the time of a test.
    await findPulumi({ log });
    await prepareCluster(log).catch((error: unknown) => {
      // The tests that need no cluster can still run; those that do say the same.
      if (!(error instanceof UserError)) throw error;
      log.warn(error.message);
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`error: ${error.message}\n  fix: ${error.fix}\n`);
    // vitest would go on to its own summary and exit with 1: a machine that lacks something is no failed test.
    process.exit(error.exitCode);
  }
}
