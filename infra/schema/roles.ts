// infra/schema/roles.ts - who may do what in the database: one owner nobody logs in as, four roles people and
// programs log in with, each with the least it needs.
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { ConnectionTarget } from "./postgres";
import { type LoginRole, loginRoles, ownerRole } from "./roleNames";

export interface RolesArgs {
  /** undefined in a preview before the platform has made the database. */
  target: ConnectionTarget | undefined;
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
    this.provider = this.connect(args.target);
    const owner = this.owner();
    const logins = this.logins(args.passwordVersion, owner);
    this.passwords = logins.passwords;
    this.ready = [
      this.adminActsAs(owner, args.target?.user ?? "postgres"),
      this.ownerMayCreateSchemas(owner, args.target?.database ?? "postgres"),
      ...Object.values(logins.roles),
    ];
    this.registerOutputs({ passwords: this.passwords });
  }

  private connect(target: ConnectionTarget | undefined): postgresql.Provider {
    return new postgresql.Provider(
      "database",
      {
        host: target?.host ?? "127.0.0.1",
        port: target?.port ?? 5432,
        database: target?.database ?? "postgres",
        username: target?.user ?? "postgres",
        ...(target?.password === undefined ? {} : { password: pulumi.secret(target.password) }),
        ...(target?.caFile === undefined ? {} : { sslrootcert: target.caFile }),
        sslmode: target?.tls ?? "verify-full",
        // A managed server gives no superuser; without this the plugin tries what only one may.
        superuser: false,
      },
      { parent: this },
    );
  }

  private owner(): postgresql.Role {
    // Login without a password: TimescaleDB runs policy jobs as their owner and wants it to have LOGIN, and SCRAM
    // lets no one in who has no password.
    return new postgresql.Role(ownerRole, { name: ownerRole, login: true }, this.child());
  }

  private logins(passwordVersion: number, owner: postgresql.Role) {
    const memberOf: Partial<Record<LoginRole, pulumi.Input<string>[]>> = {
      migrator: [owner.name],
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
      roles[role] = new postgresql.Role(name, roleArgs, this.child());
    }
    return { roles, passwords };
  }

  /** Membership that SET ROLE needs: PostgreSQL 16 gives the creator of a role the right to grant it, not to be it. */
  private adminActsAs(owner: postgresql.Role, admin: string): postgresql.GrantRole {
    return new postgresql.GrantRole(
      "admin-acts-as-owner",
      { role: admin, grantRole: owner.name },
      // The creator's own membership has the admin option and cannot be told from this one when it is read.
      { ...this.child([owner]), ignoreChanges: ["withAdminOption"] },
    );
  }

  private ownerMayCreateSchemas(owner: postgresql.Role, database: string): postgresql.Grant {
    return new postgresql.Grant(
      "owner-creates-schemas",
      { role: owner.name, database, objectType: "database", privileges: ["CREATE", "CONNECT"] },
      this.child([owner]),
    );
  }

  private child(dependsOn: pulumi.Resource[] = []): pulumi.CustomResourceOptions {
    return { parent: this, provider: this.provider, dependsOn };
  }
}
