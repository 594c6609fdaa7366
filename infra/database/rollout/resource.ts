import * as pulumi from "@pulumi/pulumi";
import { providerSource } from "../../providerSource";

/** What every member is to run. A preview shows which of it changes, and so what an `up` will do to the members. */
export interface RolloutInputs {
  readonly colour: string;
  /** Of the pods: another one and every member is replaced, the primary after a switchover. */
  readonly pods: string;
  /** PostgreSQL settings read at its start only: another one and every member restarts, the primary after a switchover. */
  readonly settingsThatRestart: Readonly<Record<string, string>>;
  /** Settings that take effect while PostgreSQL runs. */
  readonly settingsThatReload: Readonly<Record<string, string>>;
  /** Of all settings, as the agents report it. */
  readonly revision: string;
  /** Of the administrator's password. */
  readonly passwordVersion: number;
}

/** Takes each member to what is stated. */
export class Rollout extends pulumi.CustomResource {
  constructor(name: string, inputs: RolloutInputs, opts?: pulumi.CustomResourceOptions) {
    const __provider = providerSource({
      file: "infra/database/rollout/provider.cjs",
      args: [pulumi.getStack()],
    });
    super("pulumi-nodejs:dynamic/database:Rollout", name, { ...inputs, __provider }, opts);
  }
}
