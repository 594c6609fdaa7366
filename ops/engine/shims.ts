import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./toolCache";

/** The executables the engine looks for on the PATH, by name, and the module of @pulumi/pulumi each one runs. */
const modules = {
  "pulumi-resource-pulumi-nodejs": "@pulumi/pulumi/cmd/dynamic-provider",
} as const;

/**
 * Puts the helpers that the official distribution ships into the tool cache and returns their folder. Ours are used
 * even where it is installed: they run on this Node, load TypeScript from the checkout, and end with the engine.
 */
export function writeShims(): string {
  const scripts = Object.entries(modules).map(([name, module]) => ({
    name,
    text: shim(require.resolve(module)),
  }));
  const key = createHash("sha256").update(JSON.stringify(scripts)).digest("hex").slice(0, 16);
  const folder = join(cacheFolder(), `shims-${key}`);
  mkdirSync(folder, { recursive: true });
  for (const { name, text } of scripts) {
    // Renamed into place: an engine that starts at this moment must not find half a script.
    const draft = join(folder, `.${name}.${process.pid}`);
    writeFileSync(draft, text, { mode: 0o755 });
    try {
      renameSync(draft, join(folder, name));
    } finally {
      rmSync(draft, { force: true });
    }
  }
  return folder;
}

function shim(module: string): string {
  const args = [process.execPath, "--require", join(__dirname, "dieWithParent.cjs"), module];
  return `#!/bin/sh\nexec ${args.map(shellQuote).join(" ")} "$@"\n`;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
