/** Names in Azure that two stacks of this project would fight for. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { azureNames, sharedNames } from "../azure/names";
import type { StackConfig } from "../config";
import { configError } from "./errors";
import { configNamespace } from "./schema";

/** A stack beside this one, as far as its file says. */
export interface OtherStack {
  readonly stack: string;
  readonly organisation: string;
}

/** @throws UserError when another stack would have the same names */
export function refuseSharedNames({ stack, azure }: StackConfig, others: readonly OtherStack[]): void {
  if (azure === undefined) return;
  const own = azureNames(azure.organisation, stack);
  const problems = others
    .filter((other) => other.stack !== stack)
    .flatMap((other) =>
      sharedNames(own, azureNames(other.organisation, other.stack))
        .slice(0, 1)
        .map((name) => ({ name, other })),
    )
    .map(({ name, other }) => ({
      key: "azure.organisation",
      found: azure.organisation,
      problem: `makes the name "${name}", which stack "${other.stack}" has too: one of the two stacks must be called otherwise`,
      example: `${azure.organisation.slice(0, 7)}2`,
    }));
  if (problems.length > 0) throw configError(stack, problems);
}

/** The stacks whose files are in a folder. What cannot be read as one is somebody else's. */
export function otherStacks(folder: string): OtherStack[] {
  return readdirSync(folder).flatMap((file) => {
    const stack = /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1];
    const organisation = stack === undefined ? undefined : organisationIn(join(folder, file));
    return stack === undefined || organisation === undefined ? [] : [{ stack, organisation }];
  });
}

function organisationIn(file: string): string | undefined {
  const content = parse(readFileSync(file, "utf8")) as { config?: Record<string, unknown> } | null;
  const config = content?.config ?? {};
  const azure = config[`${configNamespace}:azure`] as { organisation?: unknown } | undefined;
  const { organisation } = azure ?? {};
  return typeof organisation === "string" ? organisation : undefined;
}
