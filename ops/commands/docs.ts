import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { type Flow, flows } from "../../infra/kubernetes/flows";
import { configReference } from "../docs/configReference";
import { networkPicture } from "../docs/networkPicture";
import { networkReference } from "../docs/networkReference";
import { projectRoot } from "../paths";

/** What is generated, by its place in docs; a test compares each file with what would be generated. */
export const generatedDocs = {
  "config.md": configReference,
  "network.md": () => networkReference(flows),
  "network.svg": () => networkPicture(flows.filter((flow) => !watches(flow))),
  "network-monitoring.svg": () => networkPicture(flows.filter(watches)),
} as const satisfies Record<string, () => string>;

function watches({ onlyWith }: Flow): boolean {
  return onlyWith === "monitoring" || onlyWith === "managedMonitoring";
}

/** Where a generated page stands. */
export function generatedFile(name: keyof typeof generatedDocs): string {
  return join(projectRoot, "docs", name);
}

/** `docs`: writes the pages that are generated from code. */
export function register(program: Command): void {
  const names = Object.keys(generatedDocs) as (keyof typeof generatedDocs)[];
  program
    .command("docs")
    .description(`write the generated documentation: ${names.map((name) => `docs/${name}`).join(", ")}`)
    .action(async () => {
      for (const name of names) await writeFile(generatedFile(name), generatedDocs[name]());
    });
}
