import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { configReference } from "../docs/configReference";
import { projectRoot } from "../paths";

/** Where the generated reference stands; a test compares it with what would be generated. */
export const configReferenceFile = join(projectRoot, "docs", "config.md");

/** `docs`: writes the pages that are generated from code. */
export function register(program: Command): void {
  program
    .command("docs")
    .description("write the generated documentation: docs/config.md")
    .action(async () => {
      await writeFile(configReferenceFile, configReference());
    });
}
