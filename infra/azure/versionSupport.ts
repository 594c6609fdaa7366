/** Whether AKS still supports the version a stack asks for: a matter of today, so asked by previews and `up` only. */
import type { StackConfig } from "../config";
import { configError } from "../config/errors";
import { findVersion, versionProblem } from "./kubernetesVersions";

/** Days after the end of support in which an `up` is still let through: somebody may have to repair something. */
const graceDays = 90;

/**
 * What to warn of, if anything.
 *
 * @throws UserError when the version is not supported, and was not for some time
 */
export function checkVersionSupport({ azure, stack }: StackConfig, today: Date): string | undefined {
  if (azure === undefined || azure.existing.cluster !== undefined) return undefined;
  const { version, tier } = azure.kubernetes;
  const refused = versionProblem(version, tier, today);
  if (refused === undefined) return undefined;
  const { problem, example } = refused;
  const ended = Date.parse(findVersion(version)?.supportedUntil ?? "");
  const days = (today.getTime() - ended) / 86_400_000;
  if (days > 0 && days <= graceDays) {
    return `azure.kubernetes.version is "${version}"; ${problem}. Upgrade soon: docs/runbooks/upgrade-aks.md`;
  }
  throw configError(stack, [{ key: "azure.kubernetes.version", found: version, problem, example }]);
}
