import * as pulumi from "@pulumi/pulumi";
import { providerSource } from "../providerSource";
import type { Kind } from "./handlers";
import type { ContinuousAggregateInputs } from "./handlers/continuousAggregate";
import { engineVersion } from "./handlers/handler";
import type { HypertableInputs } from "./handlers/hypertable";
import type { MigrationsInputs } from "./handlers/migrations";
import type { OwnerInputs } from "./handlers/owner";
import type {
  ColumnstorePolicyInputs,
  RefreshPolicyInputs,
  ReorderPolicyInputs,
  RetentionPolicyInputs,
} from "./handlers/policies";
import type { ServerInputs } from "./handlers/server";
import type { Stated } from "./plan";

/**
 * A resource in the database. None carries a connection or a password: where the database is comes from the stack's
 * config when it is needed, so a new password changes no resource, and no state file holds one.
 */
function schemaResource<Inputs extends object>(kind: Kind) {
  return class extends pulumi.CustomResource {
    constructor(name: string, inputs: Stated<Inputs>, opts?: pulumi.CustomResourceOptions) {
      const __provider = providerSource({
        file: "infra/schema/provider.cjs",
        args: [kind, pulumi.getStack()],
      });
      // The type of a dynamic resource as pulumi.dynamic.Resource spells it; a preview says ms5:schema:KIND.
      super(`pulumi-nodejs:dynamic/schema:${kind}`, name, { ...inputs, engineVersion, __provider }, opts);
    }
  };
}

/** A server that answers, takes writes and has the TimescaleDB edition expected; refuses the run otherwise. */
export class Server extends schemaResource<ServerInputs>("Server") {}

/** The role that owns the schema, and outlives the stack with it. */
export class Owner extends schemaResource<OwnerInputs>("Owner") {}

/** The files of `sql/migrations/`, applied in order. */
export class Migrations extends schemaResource<MigrationsInputs>("Migrations") {}

/** A table partitioned by time, with its chunk interval and columnstore settings. */
export class Hypertable extends schemaResource<HypertableInputs>("Hypertable") {}

/** Turns chunks into columns when they reach an age. */
export class ColumnstorePolicy extends schemaResource<ColumnstorePolicyInputs>("ColumnstorePolicy") {}

/** Deletes chunks when they reach an age. */
export class RetentionPolicy extends schemaResource<RetentionPolicyInputs>("RetentionPolicy") {}

/** Rewrites finished chunks in the order of an index. */
export class ReorderPolicy extends schemaResource<ReorderPolicyInputs>("ReorderPolicy") {}

/** An aggregate that TimescaleDB keeps up to date. */
export class ContinuousAggregate extends schemaResource<ContinuousAggregateInputs>("ContinuousAggregate") {}

/** Brings a continuous aggregate up to date. */
export class RefreshPolicy extends schemaResource<RefreshPolicyInputs>("RefreshPolicy") {}
