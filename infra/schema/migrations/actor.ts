/** Who runs a migration, for the audit log: the database knows its role, not the person or pipeline behind it. */
import { hostname, userInfo } from "node:os";

export interface Actor {
  /** E.g. `anna`, or `anna via GitHub Actions`. */
  readonly user: string;
  /** Name of the machine the runner ran on. */
  readonly host: string;
}

/** Where CI systems say on whose behalf a job runs. */
const ciSystems = [
  { name: "GitHub Actions", variable: "GITHUB_ACTOR" },
  { name: "GitLab CI", variable: "GITLAB_USER_LOGIN" },
  { name: "Azure Pipelines", variable: "BUILD_REQUESTEDFOR" },
] as const;

/** Pure part of `currentActor`. */
export function actorFrom(environment: NodeJS.ProcessEnv, osUser: string, host: string): Actor {
  for (const { name, variable } of ciSystems) {
    const user = environment[variable];
    if (user !== undefined && user !== "") return { user: `${user} via ${name}`, host };
  }
  return { user: osUser, host };
}

export function currentActor(): Actor {
  return actorFrom(process.env, osUserName(), hostname());
}

/** A container may run under a user id that has no name. */
function osUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
