/** Stand-in for the official `postgresql` plugin, over `pg`. One connection attempt per operation, no retry. */
import { version } from "@pulumi/postgresql/package.json";
import { databaseKind } from "./postgresql/database";
import { defaultPrivilegesKind } from "./postgresql/defaultPrivileges";
import { extensionKind } from "./postgresql/extension";
import { grantKind } from "./postgresql/grant";
import { grantRoleKind } from "./postgresql/grantRole";
import { roleKind } from "./postgresql/role";
import { schemaKind } from "./postgresql/schema";
import { serverOf } from "./postgresql/server";
import type { StandIn } from "./provider";

export const postgresql: StandIn = {
  name: "postgresql",
  version,
  configure(config) {
    const server = serverOf(config, process.env);
    return {
      "postgresql:index/database:Database": databaseKind(server),
      "postgresql:index/defaultPrivileges:DefaultPrivileges": defaultPrivilegesKind(server),
      "postgresql:index/extension:Extension": extensionKind(server),
      "postgresql:index/grant:Grant": grantKind(server),
      "postgresql:index/grantRole:GrantRole": grantRoleKind(server),
      "postgresql:index/role:Role": roleKind(server),
      "postgresql:index/schema:Schema": schemaKind(server),
    };
  },
};
