// Finding the Pulumi CLI: the user's own, the one we keep, the official installer's, one built from Go modules.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { buildFromGo, type GoBuild, goEnvironment } from "./goBuild";
import { tryInstaller } from "./install";
import { interruptedSearch, pinnedVersion, pulumiFolder, withToolLock } from "./toolCache";

const whatItIs = "the Pulumi CLI";

/** Older ones lack what we use: `refresh` and `destroy` with an inline program (`--client`, 3.181), events over gRPC. */
export const minimumVersion = "3.206.0";

export interface FoundPulumi {
  readonly command: PulumiCommand;
  readonly version: string;
  readonly origin: "path" | "cache" | "installer" | "built";
}

/**
 * The CLI to drive, fetched or built if need be. Says on `log` what it does whenever that takes time.
 *
 * @throws UserError when there is no way to get one, or when `signal` interrupts.
 */
export async function findPulumi(options: {
  log: Log;
  signal?: AbortSignal | undefined;
}): Promise<FoundPulumi> {
  const { log, signal } = options;
  const onPath = await fromPath(log);
  if (onPath !== undefined) return onPath;
  const folder = pulumiFolder();
  return (
    (await fromFolder(folder, "cache")) ??
    (await withToolLock(folder, whatItIs, log, signal, async () => {
      // Another process may have got it while we waited for the lock.
      const cached = await fromFolder(folder, "cache");
      if (cached !== undefined) return cached;
      log.info("No Pulumi CLI on the PATH or in the tool cache.");
      if (await tryInstaller(folder, pinnedVersion(), log, signal)) return fromFolder(folder, "installer");
      const build = pulumiBuild();
      const env = await goEnvironment(build.toolchain, signal);
      if (signal?.aborted) throw interruptedSearch(whatItIs);
      if (env === undefined) throw noWay();
      await buildFromGo(build, folder, env, log, signal);
      return fromFolder(folder, "built");
    })) ??
    fail(noWay())
  );
}

function pulumiBuild(): GoBuild {
  const version = pinnedVersion();
  return {
    name: `Pulumi ${version}`,
    toolchain: "pulumi",
    packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
    linkerFlags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`,
    takes: "two to four minutes",
    alternative: "put `pulumi` on the PATH",
  };
}

async function fromPath(log: Log): Promise<FoundPulumi | undefined> {
  const command = await PulumiCommand.get({ skipVersionCheck: true }).catch(() => undefined);
  if (command?.version == null) return undefined;
  const version = command.version.format();
  if (command.version.compare(minimumVersion) < 0) {
    log.warn(`the pulumi on the PATH is ${version}, older than ${minimumVersion}: it is not used`);
    return undefined;
  }
  return { command, version, origin: "path" };
}

async function fromFolder(folder: string, origin: FoundPulumi["origin"]): Promise<FoundPulumi | undefined> {
  if (!existsSync(join(folder, "bin", "pulumi"))) return undefined;
  // One that doesn't run (another platform's, a damaged disk) is as good as none.
  const command = await PulumiCommand.get({ root: folder, skipVersionCheck: true }).catch(() => undefined);
  return command?.version == null ? undefined : { command, version: command.version.format(), origin };
}

function fail(error: Error): never {
  throw error;
}

function noWay(): UserError {
  return new UserError(
    "no Pulumi CLI: none on the PATH, the official installer cannot be reached, and there is no Go to build it with",
    {
      fix: `do one of these: (1) put pulumi ${minimumVersion} or newer on the PATH, (2) let this machine download from the official installer, (3) install Go 1.21 or newer and give it access to a Go module proxy`,
      exitCode: ExitCode.environment,
    },
  );
}
