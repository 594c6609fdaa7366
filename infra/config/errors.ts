/** A refusal names the key, what was found, what is allowed and the command that sets it: nobody has to read this code. */
import type { z } from "zod";
import { UserError } from "../errors";
import { configLeaves } from "./leaves";
import { configNamespace } from "./schema";

export interface Problem {
  readonly key: string;
  /** undefined when nothing was written and the default is part of the problem. */
  readonly found: unknown;
  readonly problem: string;
  readonly example?: string | undefined;
}

export function describeIssue(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const siblings = siblingKeys(issue.path);
    return issue.keys.map((key) => ({
      key: [...issue.path, key].join("."),
      found: undefined,
      problem: `no such key; ${issue.path.length === 0 ? "there are" : `under ${issue.path.join(".")} there are`}: ${siblings.join(", ")}`,
    }));
  }
  const key = issue.path.join(".");
  const leaf = configLeaves.find((candidate) => candidate.key === key);
  const allowed =
    issue.code === "custom" || issue.code === "invalid_format"
      ? issue.message
      : leaf === undefined
        ? issue.message
        : leaf.allowed || issue.message;
  const range = issue.code === "too_big" || issue.code === "too_small" ? ` (${issue.message})` : "";
  return [
    {
      key,
      found: leaf?.secret === true ? "[secret]" : valueAt(input, issue.path),
      problem: `allowed: ${allowed}${range}`,
      example: leaf?.example,
    },
  ];
}

function siblingKeys(path: readonly PropertyKey[]): string[] {
  const depth = path.length;
  const names = configLeaves
    .filter((leaf) => path.every((part, index) => leaf.path[index] === part))
    .map((leaf) => leaf.path[depth]);
  return [...new Set(names.filter((name) => name !== undefined))];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
}

export function configError(
  stack: string,
  problems: Problem[],
  fromEnv: ReadonlyMap<string, string> = new Map(),
): UserError {
  const lines = problems.map(({ key, found, problem, example }) => {
    const origin = fromEnv.get(key);
    const where =
      origin === undefined ? `${configNamespace}:${key}` : `${configNamespace}:${key} (from ${origin})`;
    const value = found === undefined ? "" : ` is ${JSON.stringify(found)};`;
    const isSecret = configLeaves.some((leaf) => leaf.key === key && leaf.secret);
    const remedy =
      origin === undefined && isSecret
        ? // It asks for the value: what is typed on a command line stays in its history.
          `\n      pulumi config set --secret --stack ${stack} --path '${configNamespace}:${key}'`
        : origin !== undefined
          ? `\n      set ${origin}='${example ?? "…"}', or unset it`
          : example === undefined
            ? `\n      pulumi config rm --stack ${stack} --path '${configNamespace}:${key}'`
            : `\n      pulumi config set --stack ${stack} --path '${configNamespace}:${key}' '${example}'`;
    return `  ${where}${value} ${problem}${remedy}`;
  });
  return new UserError(`the configuration of stack "${stack}" is refused:\n${lines.join("\n")}`, {
    fix: `correct Pulumi.${stack}.yaml, with the commands above or by hand (reference: docs/config.md)`,
  });
}
