import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../ops/paths";

const folder = process.env.MS5_DATA_DIR ?? join(projectRoot, "../shared/data");

/** The folder of real telemetry; undefined where there is none, as with every user. */
export const realTelemetry = existsSync(folder) ? folder : undefined;
