import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Where a preview or `up` writes how to reach a stack's AKS cluster, for itself, `kubectl` and our commands. It holds no
 * secret: who one is, is asked of Entra ID each time.
 */
export function kubeconfigFile(stack: string): string {
  return join(__dirname, "..", "..", ".local", "kubeconfig", stack);
}

/** Whoever reads it at this moment finds the old one or the new one, whole. */
export function writeKubeconfig(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}
