import { deploy, exitCodeOf } from "../../../ops/engine/deploy";
import { filesProgram } from "./filesProgram";

const { operation, specs, json, files, place } = JSON.parse(process.argv[2] ?? "");
deploy(operation, "test", { json, providers: [], program: filesProgram(files, specs), place }).then(
  (result) => {
    process.exitCode = exitCodeOf(result);
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = (error as { exitCode?: number }).exitCode ?? 1;
  },
);
