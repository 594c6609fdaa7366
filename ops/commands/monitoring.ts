import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { StackConfig } from "../../infra/config";
import { ExitCode, UserError } from "../../infra/errors";
import type { RuleSettings } from "../../infra/monitoring/ruleSettings";
import type { ApiSettings } from "../../infra/monitoring/settings";
import { createLog } from "../log";
import { age } from "../monitoring/advice/age";
import { localFolder } from "../paths";
import { stackConfig } from "../stackConfig";

const keysFolder = join(localFolder, "monitoring-keys");
const log = createLog({ quiet: false });

interface TokenArguments {
  readonly stack: string;
  readonly role: "reader" | "admin";
  readonly subject: string;
  readonly for: number;
  readonly folder: string;
}

/** `monitoring keys|token|dashboards|rules`: what people need around the monitoring of a stack. */
export function register(program: Command): void {
  const monitoring = program
    .command("monitoring")
    .description("keys and tokens of the monitoring API; dashboards and rules as files");
  const folder = () =>
    new Option("--folder <folder>", "where the signing key is").default(keysFolder, ".local/monitoring-keys");
  const stack = () => new Option("--stack <name>", "the stack").makeOptionMandatory();

  monitoring
    .command("keys")
    .description("make a signing key unless there is one, and print its public half as a JSON Web Key Set")
    .addOption(folder())
    .action((options: { folder: string }) => printKeys(resolve(options.folder)));

  monitoring
    .command("token")
    .description("sign a token for the monitoring API of a stack that trusts the key of `monitoring keys`")
    .addOption(stack())
    .addOption(new Option("--role <role>", "what it may").choices(["reader", "admin"]).makeOptionMandatory())
    .addOption(
      new Option("--subject <name>", "whom it is for: stands in the audit")
        .argParser(subject)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--for <time>", "how long it is valid, up to 24h").argParser(seconds).default(3_600, "1h"),
    )
    .addOption(folder())
    .action(printToken);

  monitoring
    .command("dashboards <folder>")
    .description("write a stack's dashboards as JSON, for a Grafana of one's own or Azure's")
    .addOption(stack())
    .action(async (into: string, options: { stack: string }) => {
      const rules = await watched(options.stack);
      const { buildDashboard } = await import("../../infra/monitoring/dashboards/page");
      const { pages } = await import("../../infra/monitoring/dashboards");
      const settings = { ...rules, documentation: undefined };
      const files = pages(settings).map((page): [string, string] => [
        `${page.name}.json`,
        `${JSON.stringify(buildDashboard(page, settings), undefined, 2)}\n`,
      ]);
      await writeFiles(into, files);
    });

  monitoring
    .command("rules <folder>")
    .description("write a stack's alerts and recording rules as files of Prometheus")
    .addOption(stack())
    .action(async (into: string, options: { stack: string }) => {
      const rules = await watched(options.stack);
      const { ruleFiles } = await import("../../infra/monitoring/ruleFiles");
      await writeFiles(into, Object.entries(ruleFiles(rules)));
    });
}

async function printKeys(folder: string): Promise<void> {
  const { makeKeySet } = await import("../monitoring/service/token");
  const { privateKeyFile, keySetFile } = await makeKeySet(folder);
  log.info(`${privateKeyFile} signs tokens: whoever has it is an admin. It is never printed`);
  log.info("a stack trusts it by its public half, which is below:");
  log.info(
    `  pulumi config set --stack STACK --path 'ms5-timescale:monitoring.api.keys' "$(cat ${keySetFile})"`,
  );
  log.info("  pulumi config set --stack STACK --path 'ms5-timescale:monitoring.api.issuer' ms5");
  log.info("  pulumi config set --stack STACK --path 'ms5-timescale:monitoring.api.audience' ms5-monitoring");
  process.stdout.write(`${JSON.stringify(JSON.parse(await readFile(keySetFile, "utf8")))}\n`);
}

async function printToken({ stack, role, subject, for: seconds, folder }: TokenArguments): Promise<void> {
  const { monitoring } = await stackConfig(stack, log);
  const api = monitoring?.api;
  if (api === undefined) {
    throw new UserError(`the monitoring API of stack "${stack}" takes no token: monitoring.api is not set`, {
      fix: "npm run ops -- monitoring keys says how to set it",
    });
  }
  const { filesOf, signToken } = await import("../monitoring/service/token");
  const { keySetFile } = filesOf(resolve(folder));
  const token = await signToken(resolve(folder), {
    issuer: api.issuer,
    audience: api.audience,
    rolesClaim: api.rolesClaim,
    subject,
    roles: [`ms5.${role}`],
    seconds,
  });
  requireTrust(stack, api, JSON.parse(await readFile(keySetFile, "utf8")));
  process.stdout.write(`${token}\n`);
}

/** @throws UserError when the stack would refuse what our key signs */
function requireTrust(stack: string, { keys }: ApiSettings, ours: unknown): void {
  if ("url" in keys) {
    throw new UserError(`stack "${stack}" trusts the keys at ${keys.url}, and not ours`, {
      fix: "get a token from that issuer, or set monitoring.api.keys instead of keysUrl",
    });
  }
  const trusted = keyIds(JSON.parse(keys.set));
  if (keyIds(ours).some((id) => trusted.includes(id))) return;
  throw new UserError(`the signing key is not among monitoring.api.keys of stack "${stack}"`, {
    fix: "name its folder with --folder, or let the stack trust it: npm run ops -- monitoring keys says how",
  });
}

function keyIds(set: unknown): unknown[] {
  const { keys } = set as { keys?: readonly { kid?: unknown }[] };
  return (keys ?? []).map(({ kid }) => kid);
}

/** @throws UserError when nothing watches the stack */
async function watched(stack: string): Promise<RuleSettings> {
  const config: StackConfig = await stackConfig(stack, log);
  const { ruleSettings } = await import("../../infra/monitoring/ruleSettings");
  const settings = ruleSettings(config);
  if (settings !== undefined) return settings;
  throw new UserError(`nothing watches stack "${stack}"`, {
    fix: "name one with a cluster and monitoring, e.g. --stack prod",
  });
}

/** Files of the same names are replaced, all others stay. */
async function writeFiles(folder: string, files: readonly (readonly [string, string])[]): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of files) {
      await writeFile(join(folder, name), content);
      process.stdout.write(`${join(folder, name)}\n`);
    }
  } catch (error) {
    throw new UserError(`${folder} cannot be written to (${(error as NodeJS.ErrnoException).code})`, {
      fix: "name a folder that is new or yours",
      exitCode: ExitCode.environment,
      cause: error,
    });
  }
}

function seconds(argument: string): number {
  const parsed = age.safeParse(argument);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError("a whole number and a unit, e.g. 30m, 1h or 1 day");
}

/** What stands in an audit line, one a line, must be one word. */
function subject(argument: string): string {
  if (/^[\w.@+-]{1,100}$/.test(argument)) return argument;
  throw new InvalidArgumentError("up to 100 letters, digits and any of . @ + - _");
}
