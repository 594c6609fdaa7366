// The Pulumi CLI from Go modules: the way that needs nothing but a module proxy and Go.
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { runProgram } from "./processes";
import { draftOf, pinnedVersion, toolchainFolder } from "./toolCache";

const commandPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
/** What toolchain/pulumi/go.mod asks for, as [major, minor]. */
const neededGo = [1, 26] as const;
/** The first Go that can fetch a newer toolchain by itself. */
const fetchingGo = [1, 21] as const;

/**
 * The environment for building with the Go on the PATH; undefined when there is none, or one too old to fetch the
 * Go it takes. A Go that is new enough stays the one used, whatever else could be downloaded.
 */
export async function goEnvironment(signal: AbortSignal | undefined): Promise<NodeJS.ProcessEnv | undefined> {
  const version = await runProgram("go", ["version"], {
    env: { ...process.env, GOTOOLCHAIN: "local" },
    signal,
  });
  const found = /go(\d+)\.(\d+)/.exec(version.output);
  if (version.code !== 0 || found === null) return undefined;
  const have = [Number(found[1]), Number(found[2])] as const;
  if (!atLeast(have, fetchingGo)) return undefined;
  return {
    ...process.env,
    GOTOOLCHAIN: atLeast(have, neededGo) ? "local" : "auto",
    // A go.work above the checkout, or flags meant for other projects, must not change what is built.
    GOWORK: "off",
    GOFLAGS: "-mod=readonly -buildvcs=false",
    CGO_ENABLED: "0",
  };
}

function atLeast(have: readonly [number, number], need: readonly [number, number]): boolean {
  return have[0] > need[0] || (have[0] === need[0] && have[1] >= need[1]);
}

/**
 * Builds `target`/bin/pulumi, complete or not at all. Interrupted, the next run carries on with what Go has cached.
 *
 * @throws UserError with the end of Go's own output when the build fails, or when it is interrupted.
 */
export async function buildCli(
  target: string,
  env: NodeJS.ProcessEnv,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<void> {
  const draft = draftOf(target);
  const version = pinnedVersion();
  const progress = new BuildProgress(log);
  try {
    log.info(`Building Pulumi ${version} from Go modules, once; it takes two to four minutes.`);
    const list = await runProgram("go", ["list", "-deps", commandPackage], {
      cwd: toolchainFolder,
      env,
      signal,
      onLine: (line) => progress.downloading(line),
    });
    if (list.code !== 0) throw buildError("download its modules", list.output, signal);
    progress.building(
      list.output.split("\n").filter((line) => line !== "" && !line.startsWith("go: ")).length,
    );
    mkdirSync(join(draft, "bin"));
    const versionFlag = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
    const build = await runProgram(
      "go",
      [
        "build",
        "-v",
        "-trimpath",
        "-ldflags",
        `-s -w ${versionFlag}`,
        "-o",
        join(draft, "bin", "pulumi"),
        commandPackage,
      ],
      { cwd: toolchainFolder, env, signal, onLine: (line) => progress.built(line) },
    );
    if (build.code !== 0) throw buildError("build it", build.output, signal);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
    progress.done();
  } finally {
    progress.stop();
    rmSync(draft, { recursive: true, force: true });
  }
}

function buildError(what: string, output: string, signal: AbortSignal | undefined): UserError {
  if (signal?.aborted) {
    return new UserError("the build of the Pulumi CLI was interrupted", {
      fix: "run the same command again: it carries on with what is built",
      exitCode: ExitCode.interrupted,
    });
  }
  const lines = output.trim().split("\n");
  return new UserError(`no Pulumi CLI: Go could not ${what}:\n${lines.slice(-8).join("\n")}`, {
    fix: "see that Go's module proxy can be reached (`go env GOPROXY`) and the disk has 2 GB free, or put `pulumi` on the PATH",
    exitCode: ExitCode.environment,
  });
}

/** A line every few seconds: how far, and since when, so that nobody waits in silence. */
class BuildProgress {
  private readonly startedAt = Date.now();
  private readonly timer = setInterval(() => this.tell(), 5000);
  private modules = 0;
  private packages = 0;
  private total: number | undefined;

  constructor(private readonly log: Log) {}

  downloading(line: string): void {
    if (line.startsWith("go: downloading ")) this.modules += 1;
  }

  building(total: number): void {
    this.total = total;
    this.tell();
  }

  built(line: string): void {
    // `-v` names each package it compiles; those in Go's cache are not named.
    if (/^[\w.]+(\/\S+)?$/.test(line)) this.packages += 1;
  }

  done(): void {
    this.log.info(`Built the Pulumi CLI in ${this.seconds()} s.`);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tell(): void {
    const stage =
      this.total === undefined
        ? `${this.modules} modules downloaded`
        : `${this.packages} packages built, of ${this.total} at most`;
    this.log.info(`  ${this.seconds()} s: ${stage}`);
  }

  private seconds(): number {
    return Math.round((Date.now() - this.startedAt) / 1000);
  }
}
