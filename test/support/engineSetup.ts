import { findPulumi } from "../../ops/engine/cli";
import { createLog } from "../../ops/log";

/** Once before the integration tests: on a fresh machine the engine is built first, which takes longer than a test may. */
export default async function setup(): Promise<void> {
  await findPulumi({ log: createLog({ quiet: false }) });
}
