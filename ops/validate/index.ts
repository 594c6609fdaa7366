import type { StackConfig } from "../../infra/config";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { type Check, type Finding, reportOf, type ValidationReport } from "./check";
import { dataChecks } from "./dataChecks";
import { schemaChecks } from "./schemaChecks";
import { speedChecks } from "./speedChecks";

/** All checks that apply to a stack, in the order they are run. */
export function checksFor(config: StackConfig): Check[] {
  const community = config.database.edition === "community";
  return [
    ...schemaChecks(config),
    ...dataChecks.anyEdition,
    ...(community ? dataChecks.community : []),
    ...speedChecks.anyEdition,
    ...(community ? speedChecks.community : []),
  ];
}

/**
 * Runs every check. A check that cannot run (a table is missing, say) has failed, with the database's own words.
 *
 * @throws UserError when the server cannot be reached
 */
export async function validate(target: ConnectionTarget, config: StackConfig): Promise<ValidationReport> {
  return withClient(target, async (client) => {
    const findings: Finding[] = [];
    for (const check of checksFor(config)) {
      const detail = await check
        .run({ client, config })
        .catch((error: unknown) => String((error as Error).message));
      findings.push({
        check: check.name,
        severity: check.severity,
        passed: detail === undefined,
        ...(detail === undefined ? {} : { detail }),
      });
    }
    return reportOf(findings);
  });
}
