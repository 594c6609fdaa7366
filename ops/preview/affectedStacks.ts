// Which environments a change of files concerns: those get a preview in a pull request, and an `up` when it is merged.
import { type Environment, environmentDefaults, environments } from "../../infra/environments";

/** What every stack is made of: a folder and all below it, or a file. */
const madeOf = [
  "infra/",
  "ops/",
  "sql/",
  // The engine.
  "toolchain/pulumi/",
  "Pulumi.yaml",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  ".npmrc",
] as const;

/** Those that workflows deploy, in the order in which they do. */
export const deployedEnvironments: readonly Environment[] = environments.filter(
  (name) => environmentDefaults[name].platform === "azure",
);

/**
 * @param changed paths from the repository's root, as git names them; of a renamed file both
 */
export function affectedStacks(changed: readonly string[]): Environment[] {
  return deployedEnvironments.filter((stack) =>
    changed.some((path) => path === `Pulumi.${stack}.yaml` || madeOf.some((part) => isIn(part, path))),
  );
}

function isIn(part: string, path: string): boolean {
  return part.endsWith("/") ? path.startsWith(part) : path === part;
}
