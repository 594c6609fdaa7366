import { telemetryFolder } from "../../ops/bench/telemetryFiles";

/** The folder of real telemetry; undefined where there is none, as with every user. */
export const realTelemetry = telemetryFolder(process.env);
