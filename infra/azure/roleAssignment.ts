import { PrincipalType, RoleAssignment } from "@pulumi/azure-native/authorization";
import * as pulumi from "@pulumi/pulumi";
import { stableUuid } from "./names";
import { type BuiltInRole, builtInRole } from "./resourceIds";

export interface Grant {
  /** Object id of the identity that may. */
  readonly principalId: pulumi.Input<string>;
  /** People's groups are "Group"; an identity of Azure's by default. */
  readonly principalType?: "Group";
  readonly role: { readonly builtIn: BuiltInRole } | { readonly own: pulumi.Output<string> };
  /** Resource id of what it may do it with. */
  readonly scope: pulumi.Input<string>;
  /** Why. */
  readonly description: string;
}

/** @param name of the resource: who may do what */
export function grant(
  name: string,
  subscription: string,
  grant: Grant,
  opts: pulumi.CustomResourceOptions,
): RoleAssignment {
  const { principalId, principalType = PrincipalType.ServicePrincipal, role, scope, description } = grant;
  return new RoleAssignment(
    name,
    {
      roleAssignmentName: stableUuid(`${subscription} ${pulumi.getStack()} ${name}`),
      principalId,
      // Without it Azure looks the identity up, and does not find one that was made a moment ago.
      principalType,
      roleDefinitionId: "own" in role ? role.own : builtInRole(subscription, role.builtIn),
      scope,
      description,
    },
    opts,
  );
}
