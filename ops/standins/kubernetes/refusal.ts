/** What the API server refuses, said so that a person can do something about it. */
import { UserError } from "../../../infra/errors";
import { ApiError, type Cause } from "./api";
import { describe, type Reference } from "./object";

/** The error to show for one that came of `doing` ("applied", "created") the object. Others stay what they are. */
export function refused(error: unknown, at: Reference, doing: string): unknown {
  if (!(error instanceof ApiError)) return error;
  const conflicts = error.causes.filter(({ reason }) => reason === "FieldManagerConflict");
  if (conflicts.length > 0) return conflict(conflicts, at, error);
  const lines = error.causes.map(
    ({ field, message }) => `\n  ${field === undefined ? "" : `${field}: `}${message}`,
  );
  const what = lines.length > 0 ? `:${lines.join("")}` : `: ${error.message}`;
  return new UserError(`${describe(at)} cannot be ${doing}${what}`, { fix: fixFor(error, at), cause: error });
}

function conflict(causes: readonly Cause[], at: Reference, cause: ApiError): UserError {
  const fields = causes.map(({ field, message }) => `\n  ${field}: owned by ${ownerIn(message)}`);
  return new UserError(
    `${describe(at)} cannot be applied, because others own fields of it:${fields.join("")}`,
    {
      fix: 'leave the field to its owner (take it out of the program, or ignoreChanges), or take it over with the annotation pulumi.com/patchForce: "true"',
      cause,
    },
  );
}

/** `conflict with "kubectl-edit" using apps/v1` → `"kubectl-edit"`. */
function ownerIn(message: string): string {
  return /conflict with ("[^"]*"(?: with subresource "[^"]*")?)/.exec(message)?.[1] ?? message;
}

function fixFor(error: ApiError, at: Reference): string {
  const all = [error.message, ...error.causes.map(({ message }) => message)].join("\n");
  if (/immutable|updates to \w+ spec for fields other than|may not change once set/.test(all)) {
    return "undo the change, or have the object replaced by it with the resource option replaceOnChanges";
  }
  if (isMissingNamespace(error)) {
    return `create the namespace ${at.namespace} first, e.g. by referring to the Namespace resource's name`;
  }
  if (error.code === 403) {
    return "give the kubeconfig's account the right, or what the message asks for (see `kubectl auth can-i --list`)";
  }
  return `correct what is named, see \`kubectl explain ${at.kind.toLowerCase()}\``;
}

export function isMissingNamespace(error: unknown): boolean {
  return error instanceof ApiError && error.code === 404 && error.about === "namespaces";
}
