/**
 * Whose rules hold, found as the program finds it: the config key `environment` or its variable, and without them the
 * stack's name. The engine tells a policy pack both.
 */
export function environmentOf(env: Readonly<Record<string, string | undefined>>): string {
  const config: Record<string, string> = JSON.parse(env.PULUMI_CONFIG ?? "{}");
  const configured = config[`${env.PULUMI_NODEJS_PROJECT}:environment`];
  return env.MS5_ENVIRONMENT ?? configured ?? env.PULUMI_NODEJS_STACK ?? "";
}

const forTrying: ReadonlySet<string> = new Set(["local", "cluster", "dev"]);

/** Whether somebody's data is in it. A name nobody foresaw counts as such. */
export function holdsData(environment: string): boolean {
  return !forTrying.has(environment);
}

/** Whether its disks are Azure's. */
export function isInAzure(environment: string): boolean {
  return environment !== "local" && environment !== "cluster";
}
