// infra/schema/roles.ts - who may do what in the database: one owner nobody logs in as, four roles people and
// programs log in with, each with the least it needs.
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { statedOwner } from "./handlers/owner";
import type { ConnectionTarget } from "./postgres";
import { Owner } from "./resources";
import { type LoginRole, loginRoles, ownerRole } from "./roleNames";

export interface RolesArgs {
  /** undefined in a preview before the platform has made the database. */
  target: ConnectionTarget | undefined;
  /** Where the program made the database; otherwise the target has it. */
  adminPassword: pulumi.Output<string> | undefined;
  /** Raise it to give every login role a new password. */
  passwordVersion: number;
}

export class Roles extends pulumi.ComponentResource {
  readonly provider: postgresql.Provider;
  readonly passwords: Record<LoginRole, pulumi.Output<string>>;
  /** Ready when migrations may run as the owner. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: RolesArgs, opts?: pulumi.ComponentResourceOptions) {
    // Not the args: a component's inputs are stored as they are, and the target holds the password.
    super("ms5:schema:Roles", name, {}, opts);
    this.provider = this.connect(args.target, args.adminPassword);
    const owner = new Owner("owner", statedOwner(args.target?.user ?? "postgres"), { parent: this });
    const logins = this.logins(args.passwordVersion, owner);
    this.passwords = logins.passwords;
    this.ready = [owner, ...Object.values(logins.roles)];
    this.registerOutputs({ passwords: this.passwords });
  }

  private connect(
    target: ConnectionTarget | undefined,
    adminPassword: pulumi.Output<string> | undefined,
  ): postgresql.Provider {
    const password =
      adminPassword ?? (target?.password === undefined ? undefined : pulumi.secret(target.password));
    return new postgresql.Provider(
      "database",
      {
        host: target?.host ?? "127.0.0.1",
        port: target?.port ?? 5432,
        database: target?.database ?? "postgres",
        username: target?.user ?? "postgres",
        ...(password === undefined ? {} : { password }),
        ...(target?.caFile === undefined ? {} : { sslrootcert: target.caFile }),
        // A port-forward ends inside the pod, and Kubernetes has vouched for it; this provider takes a CA as a file only.
        sslmode: target?.pod === undefined ? (target?.tls ?? "verify-full") : "require",
        // A managed server gives no superuser; without this the plugin tries what only one may.
        superuser: false,
      },
      { parent: this },
    );
  }

  private logins(passwordVersion: number, owner: pulumi.Resource) {
    const memberOf: Partial<Record<LoginRole, pulumi.Input<string>[]>> = {
      migrator: [ownerRole],
      monitor: ["pg_monitor"],
    };
    const roles = {} as Record<LoginRole, postgresql.Role>;
    const passwords = {} as Record<LoginRole, pulumi.Output<string>>;
    for (const [role, name] of Object.entries(loginRoles) as [LoginRole, string][]) {
      const password = new random.RandomPassword(
        name,
        // 32 letters and digits are 190 bits, and need no escaping in any connection string.
        { length: 32, special: false, keepers: { version: String(passwordVersion) } },
        { parent: this },
      );
      passwords[role] = password.result;
      // Memberships stand here and in no GrantRole: an update of a role, a new password say, revokes every
      // membership that the role itself does not state.
      const roleArgs = { name, login: true, password: password.result, roles: memberOf[role] ?? [] };
      roles[role] = new postgresql.Role(name, roleArgs, {
        parent: this,
        provider: this.provider,
        dependsOn: [owner],
      });
    }
    return { roles, passwords };
  }
}
