// Programs from Go modules that a folder of toolchain/ pins: the way that needs nothing but a module proxy and Go.
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../../infra/errors";
import type { Log } from "../log";
import { runProgram } from "./processes";
import { draftOf, toolchainFolder } from "./toolCache";

/** What to build, and how to speak of it. */
export interface GoBuild {
  /** With its version, e.g. `Pulumi 3.256.0`. */
  readonly name: string;
  /** The folder of `toolchain/` whose go.mod and go.sum pin everything. */
  readonly toolchain: string;
  /** Each becomes a program in `bin`, named like the last part of its path. */
  readonly packages: readonly string[];
  readonly linkerFlags: string;
  /** For the first line of the progress, e.g. `two to four minutes`. */
  readonly takes: string;
  /** The other way out for a person whose build fails, e.g. `put pulumi on the PATH`. */
  readonly alternative: string;
}

/** The first Go that can fetch a newer toolchain by itself. */
const fetchingGo = [1, 21, 0] as const;

type GoVersion = readonly [number, number, number];

/**
 * The environment for building what `toolchain/NAME` pins with the Go on the PATH; undefined when there is none, or one too
 * old to fetch the Go it takes. A Go that is new enough stays the one used, whatever else could be downloaded.
 */
export async function goEnvironment(
  name: string,
  signal: AbortSignal | undefined,
): Promise<NodeJS.ProcessEnv | undefined> {
  const version = await runProgram("go", ["version"], {
    env: { ...process.env, GOTOOLCHAIN: "local" },
    signal,
  });
  const have = goVersion(/go(\d+\.\d+(?:\.\d+)?)/.exec(version.output)?.[1]);
  if (version.code !== 0 || have === undefined) return undefined;
  if (!atLeast(have, fetchingGo)) return undefined;
  const need = goVersion(
    /^go (\S+)$/m.exec(readFileSync(join(toolchainFolder(name), "go.mod"), "utf8"))?.[1],
  );
  return {
    ...process.env,
    GOTOOLCHAIN: need === undefined || atLeast(have, need) ? "local" : "auto",
    // A go.work above the checkout, or flags meant for other projects, must not change what is built.
    GOWORK: "off",
    GOFLAGS: "-mod=readonly -buildvcs=false",
    CGO_ENABLED: "0",
  };
}

function goVersion(text: string | undefined): GoVersion | undefined {
  if (text === undefined) return undefined;
  const [major, minor, patch] = text.split(".").map(Number);
  return [major ?? 0, minor ?? 0, patch ?? 0];
}

function atLeast(have: GoVersion, need: GoVersion): boolean {
  const first = have.findIndex((part, index) => part !== need[index]);
  return first === -1 || (have[first] ?? 0) > (need[first] ?? 0);
}

/**
 * Builds the programs into `target`/bin, complete or not at all. Interrupted, the next run carries on with what Go has
 * cached.
 *
 * @throws UserError with the end of Go's own output when the build fails, or when it is interrupted.
 */
export async function buildFromGo(
  build: GoBuild,
  target: string,
  env: NodeJS.ProcessEnv,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<void> {
  const draft = draftOf(target);
  const progress = new BuildProgress(build.name, log);
  try {
    log.info(`Building ${build.name} from Go modules, once; it takes ${build.takes}.`);
    const list = await runProgram("go", ["list", "-deps", ...build.packages], {
      cwd: toolchainFolder(build.toolchain),
      env,
      signal,
      onLine: (line) => progress.downloading(line),
    });
    if (list.code !== 0) throw buildError(build, "download its modules", list.output, signal);
    progress.building(
      list.output.split("\n").filter((line) => line !== "" && !line.startsWith("go: ")).length,
    );
    const bin = join(draft, "bin");
    mkdirSync(bin);
    // One package and a file's name, or several and a folder's: that is how Go tells which is meant.
    const [only, ...others] = build.packages;
    const output = others.length === 0 ? join(bin, programName(only ?? "")) : `${bin}/`;
    const run = await runProgram(
      "go",
      ["build", "-v", "-trimpath", "-ldflags", `-s -w ${build.linkerFlags}`, "-o", output, ...build.packages],
      { cwd: toolchainFolder(build.toolchain), env, signal, onLine: (line) => progress.built(line) },
    );
    if (run.code !== 0) throw buildError(build, "build it", run.output, signal);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
    progress.done();
  } finally {
    progress.stop();
    rmSync(draft, { recursive: true, force: true });
  }
}

function programName(goPackage: string): string {
  return goPackage.slice(goPackage.lastIndexOf("/") + 1);
}

function buildError(
  build: GoBuild,
  what: string,
  output: string,
  signal: AbortSignal | undefined,
): UserError {
  if (signal?.aborted) {
    return new UserError(`the build of ${build.name} was interrupted`, {
      fix: "run the same command again: it carries on with what is built",
      exitCode: ExitCode.interrupted,
    });
  }
  const lines = output.trim().split("\n");
  return new UserError(`no ${build.name}: Go could not ${what}:\n${lines.slice(-8).join("\n")}`, {
    fix: `see that Go's module proxy can be reached (\`go env GOPROXY\`) and the disk has 2 GB free, or ${build.alternative}`,
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

  constructor(
    private readonly name: string,
    private readonly log: Log,
  ) {}

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
    this.log.info(`Built ${this.name} in ${this.seconds()} s.`);
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
