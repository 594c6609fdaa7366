// A checkout of its own in a temp folder, with a tiny program whose resources are files.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import type { Place } from "../../../ops/engine/backend";
import { type Operation, type RunOptions, runStack, type StackResult } from "../../../ops/engine/stack";
import type { Log } from "../../../ops/log";
import { projectRoot } from "../../../ops/paths";
import { filesProgram, type Specs } from "./filesProgram";

export const committedConfig = "# reviewed in pull requests\nconfig:\n  ms5-timescale:color: blue\n";

/** What a command line of a user may carry that would change where a test's state goes. */
const foreign = [
  "PULUMI_BACKEND_URL",
  "PULUMI_ACCESS_TOKEN",
  "PULUMI_CONFIG_PASSPHRASE",
  "PULUMI_CONFIG_PASSPHRASE_FILE",
  "PULUMI_CREDENTIALS_PATH",
];

export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "ms5-engine-"));
  readonly files = join(this.folder, "files");
  readonly place: Place = { root: join(this.folder, "checkout"), local: join(this.folder, "local") };
  readonly said: string[] = [];
  readonly log: Log = { info: (line) => this.said.push(line), warn: (line) => this.said.push(line) };

  constructor() {
    for (const name of foreign) delete process.env[name];
    process.env.PULUMI_HOME = join(this.folder, "home");
    mkdirSync(this.files);
    mkdirSync(this.place.root);
    writeFileSync(join(this.place.root, "Pulumi.yaml"), readFileSync(join(projectRoot, "Pulumi.yaml")));
    writeFileSync(join(this.place.root, "Pulumi.test.yaml"), committedConfig);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The stack's files and what they hold. */
  contents(): Record<string, unknown> {
    const entries = readdirSync(this.files).map((name) => [name, JSON.parse(this.read(name))]);
    return Object.fromEntries(entries);
  }

  read(name: string): string {
    return readFileSync(join(this.files, name), "utf8");
  }

  get stateFile(): string {
    return join(this.place.local, "state", ".pulumi", "stacks", "ms5-timescale", "test.json");
  }

  get lockFolder(): string {
    return join(this.place.local, "state", ".pulumi", "locks", "organization", "ms5-timescale", "test");
  }

  locks(): string[] {
    return readdirSync(this.lockFolder).filter((name) => name.endsWith(".json"));
  }

  program(specs: Specs): PulumiFn {
    return filesProgram(this.files, specs);
  }

  run(operation: Operation, specs: Specs, options: Partial<RunOptions> = {}): Promise<StackResult> {
    this.said.length = 0;
    return runStack(operation, "test", {
      log: this.log,
      program: this.program(specs),
      providers: [],
      place: this.place,
      ...options,
    });
  }

  /** The same by `deploy` in a process of its own, which can be killed. */
  spawn(operation: Operation, specs: Specs, json = true): Child {
    const script = join(projectRoot, "test", "engine", "support", "deployChild.ts");
    const request = { operation, specs, json, files: this.files, place: this.place };
    const child = spawn(process.execPath, ["--require", "tsx/cjs", script, JSON.stringify(request)], {
      cwd: projectRoot,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Child(child);
  }
}

export class Child {
  stdout = "";
  stderr = "";
  private readonly ended: Promise<number | null>;

  constructor(private readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => child.on("close", resolve));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("the child did not start");
    return this.child.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The exit code; null when it was killed. */
  end(): Promise<number | null> {
    return this.ended;
  }
}

/** Waits until `check` holds; fails with `what` after `seconds`. */
export async function until(what: string, check: () => boolean, seconds = 90): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!check()) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
