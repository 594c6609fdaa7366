// infra/azure/locks.ts - what nobody deletes by hand, whatever they may: the lock has to be taken away first.
import { ManagementLockByScope } from "@pulumi/azure-native/authorization";
import type * as pulumi from "@pulumi/pulumi";

/** @param scope resource id of what is locked */
export function lock(name: string, scope: pulumi.Input<string>, opts: pulumi.CustomResourceOptions): void {
  new ManagementLockByScope(
    `${name}-lock`,
    {
      lockName: "holds-data",
      scope,
      level: "CanNotDelete",
      notes: "Without it nothing can be restored. Removed by `destroy` of its stack.",
    },
    opts,
  );
}
