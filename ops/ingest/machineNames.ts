import { basename, dirname, resolve } from "node:path";

/** A machine of `factory_telemetry.machines`. */
export interface Machine {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  /** IANA name: the zone of times that carry none. */
  readonly timezone: string;
}

export const machineCodeShape = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** The machine that a name means: by code, then by code or name without regard to case, then by the code made of it. */
export function matchMachine(name: string, machines: readonly Machine[]): Machine | undefined {
  const lower = name.toLowerCase();
  return (
    machines.find((machine) => machine.code === name) ??
    machines.find(
      (machine) => machine.code.toLowerCase() === lower || machine.name.toLowerCase() === lower,
    ) ??
    machines.find((machine) => machine.code === machineCode(name))
  );
}

/** A machine code made of any name; "" when nothing of the name can be in one. */
export function machineCode(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^A-Za-z0-9_.-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|-+$/g, "")
    .slice(0, 63);
}

/** `data/valve1-0.csv.gz` without folder and endings: `valve1-0`. */
export function fileStem(path: string): string {
  return basename(path).replace(/(\.(csv|tsv|txt))?(\.gz)?$/i, "");
}

/**
 * The machine of a file that names none: its folder. Exports of one machine lie together and are numbered or dated
 * (`valve1/0.csv`), so that the file's own name would make a machine of every export. A file in the root folder is
 * called after itself.
 */
export function machineOfFile(path: string): string {
  return machineCode(basename(dirname(resolve(path)))) || machineCode(fileStem(path)) || "machine";
}
