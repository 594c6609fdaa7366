/**
 * What an export says of itself, in `manifest.json`. It is written last: a folder without one is an export that was
 * interrupted, however complete its other files look.
 */
import { z } from "zod";
import { UserError } from "../../infra/errors";

export const manifestName = "manifest.json";

/** Raised when an older program could not read the export any more. */
const format = 1;

export const exportKinds = ["full", "schema", "data", "hypertable"] as const;
export type ExportKind = (typeof exportKinds)[number];

const storedFile = {
  /** In the export's own folder: an import must not be led elsewhere. */
  file: z.string().regex(/^[^/\\]+\.(?:sql|csv\.zst)$/),
  bytes: z.int().nonnegative(),
  /** Of the file as it is stored, hex: `sha256sum` shows the same. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
};

const column = z.object({ name: z.string(), type: z.string() });

const manifest = z.object({
  format: z.literal(format),
  kind: z.enum(exportKinds),
  stack: z.string(),
  server: z.object({ postgres: z.string(), timescaledb: z.string(), license: z.string() }),
  /** All tables are as they were at this one moment. */
  snapshot: z.object({ at: z.iso.datetime(), lsn: z.string() }),
  /** Kind `hypertable` only; from (inclusive) and to (exclusive) are missing where the table is whole. */
  range: z
    .object({ table: z.string(), from: z.iso.datetime().optional(), to: z.iso.datetime().optional() })
    .optional(),
  /** Missing with kind `data`. */
  schema: z.object(storedFile).optional(),
  /** Migrations that were applied, by number. */
  migrations: z.array(z.object({ file: z.string(), sha256: z.string() })),
  /** In the order in which foreign keys let them be loaded. */
  tables: z.array(
    z.object({ ...storedFile, table: z.string(), columns: z.array(column), rows: z.int().nonnegative() }),
  ),
  /** The value that each sequence has given last; those of identity columns are known by their column. */
  sequences: z.array(
    z.object({
      of: z.union([z.object({ table: z.string(), column: z.string() }), z.object({ sequence: z.string() })]),
      /** As text: a bigint does not fit a JSON number. */
      lastValue: z.string().regex(/^-?\d+$/),
      isCalled: z.boolean(),
    }),
  ),
  notExported: z.object({
    continuousAggregates: z.array(z.string()),
    /** Views that read a continuous aggregate. */
    views: z.array(z.string()),
    why: z.string(),
  }),
});

export type Manifest = z.infer<typeof manifest>;
export type StoredFile = Pick<Manifest["tables"][number], "file" | "bytes" | "sha256">;
export type StoredTable = Manifest["tables"][number];
export type SequenceValue = Manifest["sequences"][number];

/** A manifest of this format. */
export function createManifest(content: Omit<Manifest, "format">): Manifest {
  return { format, ...content };
}

/**
 * Reads `manifest.json`'s text.
 *
 * @param name for messages
 * @throws UserError when it is damaged or of another format
 */
export function parseManifest(text: string, name: string): Manifest {
  const fix = "take another copy of the export, or export again";
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${name} is damaged: ${(error as Error).message}`, { fix, cause: error });
  }
  const found = (content as { format?: unknown } | null)?.format;
  if (typeof found === "number" && found !== format)
    throw new UserError(`${name} has format ${found}, and this program reads format ${format}`, {
      fix: "import with the version of the program that exported it",
    });
  const parsed = manifest.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new UserError(`${name} is damaged: ${z.prettifyError(parsed.error)}`, { fix });
}

/** Every file that belongs to an export besides its manifest. */
export function storedFiles({ schema, tables }: Manifest): StoredFile[] {
  return [...(schema === undefined ? [] : [schema]), ...tables];
}
