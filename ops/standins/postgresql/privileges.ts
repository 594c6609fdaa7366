/** Privileges by kind of object, and their comparison. */
import { crc32 } from "node:zlib";

const allowed: Record<string, readonly string[]> = {
  column: ["SELECT", "INSERT", "UPDATE", "REFERENCES"],
  database: ["CREATE", "CONNECT", "TEMPORARY"],
  foreign_data_wrapper: ["USAGE"],
  foreign_server: ["USAGE"],
  function: ["EXECUTE"],
  procedure: ["EXECUTE"],
  routine: ["EXECUTE"],
  schema: ["CREATE", "USAGE"],
  sequence: ["USAGE", "SELECT", "UPDATE"],
  table: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"],
  type: ["USAGE"],
};

/** @throws Error for a privilege that this kind of object doesn't have in this version of PostgreSQL */
export function checkPrivileges(objectType: string, privileges: readonly string[], version: number): void {
  const known = ["ALL", ...allowedFor(objectType, version)];
  const wrong = privileges.find((privilege) => !known.includes(privilege));
  if (wrong !== undefined) {
    throw new Error(`${wrong} is not a privilege on a ${objectType}; known: ${known.join(", ")}`);
  }
}

function allowedFor(objectType: string, version: number): readonly string[] {
  const known = allowed[objectType] ?? [];
  return objectType === "table" && version >= 17 ? [...known, "MAINTAIN"] : known;
}

/** Whether the granted privileges are the wanted ones, `ALL` spelled out. */
export function samePrivileges(
  objectType: string,
  granted: readonly string[],
  wanted: readonly string[],
  version: number,
): boolean {
  return (
    sameSet(granted, wanted) || (wanted.includes("ALL") && sameSet(granted, allowedFor(objectType, version)))
  );
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  const [a, b] = [new Set(left), new Set(right)];
  return a.size === b.size && [...a].every((item) => b.has(item));
}

/** A set in the order of the official plugin, which makes ids of it: by checksum, compared as text. */
export function officialOrder(items: readonly string[]): string[] {
  const key = (item: string): string => String(crc32(item));
  return [...new Set(items)].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
