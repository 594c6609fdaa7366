import { availableParallelism, cpus, type as osType, release, totalmem } from "node:os";
import type { Machine } from "./report";

/** The machine this runs on, as a reader of numbers needs to know it. */
export function thisMachine(): Machine {
  const model = cpus()[0]?.model.trim() ?? "";
  return {
    cpus: `${availableParallelism()} CPUs${model === "" || model === "unknown" ? "" : ` (${model})`}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    node: process.versions.node,
    os: `${osType()} ${release()}`,
  };
}
