// A stack of this checkout on the real engine, driven inside the test's process: a command of its own for each operation
// would spend more on starting than on the operation. What commands add is tested in start.test.ts and in e2e.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { runWatched } from "../../ops/engine/deploy";
import type { RunModel } from "../../ops/engine/events";
import type { Operation, StackResult } from "../../ops/engine/stack";
import { projectRoot } from "../../ops/paths";
import { isolatedEnvironment, type Overrides } from "./commandStack";

const never = new AbortController().signal;

export class EngineStack {
  /** Stands for `.local/`. */
  readonly folder = mkdtempSync(join(tmpdir(), "ms5-stack-"));

  /** @param config keys by their environment variables */
  constructor(
    private readonly name: string,
    private readonly config: Overrides = {},
  ) {}

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async run(
    operation: Operation,
    overrides: Overrides = {},
    onEvent: (event: EngineEvent) => void = () => undefined,
  ): Promise<{ result: StackResult; model: RunModel }> {
    // The program and the dynamic providers read it: the test's own config, and none of the person's.
    const before = process.env;
    process.env = { ...isolatedEnvironment(this.folder), ...this.config, ...overrides };
    try {
      return await runWatched(operation, this.name, {
        json: true,
        interrupts: { gentle: never, hard: never, release: () => undefined },
        place: { root: projectRoot, local: this.folder },
        onEvent,
      });
    } finally {
      process.env = before;
    }
  }

  async deploy(operation: Operation, overrides: Overrides = {}): Promise<StackResult> {
    return (await this.run(operation, overrides)).result;
  }
}
