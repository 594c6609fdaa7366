import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UserError } from "../../infra/errors";
import { type Migration, parseMigrations, readMigrations } from "../../infra/schema/migrations/files";

function parse(files: Record<string, string | Uint8Array>): Migration[] {
  const entries = Object.entries(files).map(([name, content]) => ({
    name,
    content: typeof content === "string" ? Buffer.from(content) : content,
  }));
  return parseMigrations(entries, "migrations");
}

/** What is refused, as people read it, without the headline. */
function problemsOf(files: Record<string, string | Uint8Array>): string {
  try {
    parse(files);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const [headline, ...problems] = (error as UserError).message.split("\n");
    expect(headline).toBe("the migrations in migrations/ cannot be used:");
    return problems.map((problem) => problem.trim()).join("\n");
  }
  throw new Error("nothing was refused");
}

const undo = "DROP TABLE t;";

describe("parseMigrations", () => {
  it("pairs files, sorts them by number and allows gaps", () => {
    const migrations = parse({
      "0010-b.sql": "SELECT 2;",
      "0010-b.undo.sql": undo,
      "0002-two-words.sql": "SELECT 1;",
      "0002-two-words.undo.sql": undo,
    });
    expect(migrations.map(({ number, forward, undo }) => [number, forward.file, undo.file])).toEqual([
      [2, "0002-two-words.sql", "0002-two-words.undo.sql"],
      [10, "0010-b.sql", "0010-b.undo.sql"],
    ]);
  });

  it("gives a Windows checkout and a byte order mark the same checksum, and any other change another", () => {
    const sha = (content: string) =>
      parse({ "0001-a.sql": content, "0001-a.undo.sql": undo })[0]?.forward.sha256;
    expect(sha("SELECT 1;\r\nSELECT 2;\r\n")).toBe(sha("SELECT 1;\nSELECT 2;\n"));
    expect(sha("\uFEFFSELECT 1;")).toBe(sha("SELECT 1;"));
    expect(sha("SELECT 1; ")).not.toBe(sha("SELECT 1;"));
    // sha256sum of a file with these nine bytes says the same.
    expect(sha("SELECT 1;")).toBe("17db4fd369edb9244b9f91d9aeed145c3d04ad8ba6e95d06247f07a63527d11a");
  });

  it("reads the headers", () => {
    const [migration] = parse({
      "0001-a.sql": "-- Why.\n-- ms5: no-transaction\nCREATE INDEX CONCURRENTLY i ON s.t (a);",
      "0001-a.undo.sql": "-- ms5: drops s.t, s.u\n--ms5: drops s.v\nDROP TABLE s.t, s.u, s.v;",
    });
    expect(migration?.forward).toMatchObject({ transaction: false, drops: [] });
    expect(migration?.undo).toMatchObject({ transaction: true, drops: ["s.t", "s.u", "s.v"] });
  });

  const pair = (forward: string | Uint8Array, back: string | Uint8Array = undo) => ({
    "0001-a.sql": forward,
    "0001-a.undo.sql": back,
  });
  it.each([
    [
      "two files of one number",
      { ...pair("SELECT 1;"), "0001-b.sql": "SELECT 1;" },
      "0001-a.sql and 0001-b.sql: two files of one number; renumber the one that is newer",
    ],
    ["a missing undo file", { "0001-a.sql": "SELECT 1;" }, "0001-a.sql: no undo file 0001-a.undo.sql"],
    [
      "an undo of nothing",
      { "0001-a.undo.sql": undo },
      "0001-a.undo.sql: undoes nothing, there is no forward file",
    ],
    [
      "an undo of another name",
      { "0001-a.sql": "SELECT 1;", "0001-b.undo.sql": undo },
      "0001-b.undo.sql: should be called 0001-a.undo.sql, after 0001-a.sql",
    ],
    ...[
      "1-a.sql",
      "0001_a.sql",
      "0001-A.sql",
      "0001-a.SQL",
      "0001-.sql",
      "0000-a.sql",
      "0001-a.sql.orig",
    ].map((name): [string, Record<string, string>, string] => [
      `the name ${name}`,
      { [name]: "SELECT 1;" },
      `${name}: not a migration's name (names are four digits, a hyphen and lower-case words: 0007-energy-by-shift.sql)`,
    ]),
    ["an empty file", pair(""), "0001-a.sql: empty, it holds no statement"],
    ["a file of comments", pair("-- soon\n;"), "0001-a.sql: empty, it holds no statement"],
    [
      "another encoding",
      pair(Buffer.from("-- Stra\xdfe\nSELECT 1;", "latin1")),
      "0001-a.sql: not UTF-8 text",
    ],
    ["a binary file", pair("SELECT 1;\0"), "0001-a.sql: holds a NUL character, so it is no text"],
    [
      "an unknown header",
      pair("-- ms5: no-transactions\nSELECT 1;"),
      "0001-a.sql:1:1: unknown header `no-transactions`; forward files know `no-transaction`",
    ],
    [
      "`drops` in a forward file",
      pair("-- ms5: drops s.t\nSELECT 1;"),
      "0001-a.sql:1:1: unknown header `drops s.t`; forward files know `no-transaction`",
    ],
    [
      "a header that comes too late",
      pair("SELECT 1;\n-- ms5: no-transaction\n"),
      "0001-a.sql:2:1: a `-- ms5:` header must stand above the first statement",
    ],
    [
      "`drops` without a schema",
      pair("SELECT 1;", "-- ms5: drops t\nDROP TABLE t;"),
      '0001-a.undo.sql:1:1: `drops` lists tables as schema.table, not "t"',
    ],
    [
      "several statements outside a transaction",
      pair("-- ms5: no-transaction\nVACUUM a; VACUUM b;"),
      "0001-a.sql: a no-transaction file must hold exactly one statement, or a failure in between would leave it half applied; it holds 2",
    ],
    [
      "transaction control",
      pair("SELECT 1;\n  commit;"),
      "0001-a.sql:2:3: COMMIT would break up the transaction that the runner opens for each file; leave it out",
    ],
    [
      "a setting that outlives the file",
      pair("SET search_path = x;"),
      "0001-a.sql:1:1: SET would last beyond this file and change what the next ones do; use SET LOCAL",
    ],
    [
      "COPY from the client",
      pair("COPY t (a) FROM stdin;"),
      "0001-a.sql:1:1: COPY … FROM STDIN has no input in a migration; use INSERT … VALUES",
    ],
    ["an open string", pair("SELECT 1;\nSELECT 'a;"), "0001-a.sql:2:8: a string is opened and never closed"],
  ])("refuses %s", (_, files, problem) => {
    expect(problemsOf(files)).toBe(problem);
  });

  it("lets files set what ends with them", () => {
    const sql = "SET LOCAL ROLE r; SET CONSTRAINTS ALL DEFERRED; DO $$ BEGIN PERFORM 1; END $$;";
    expect(parse(pair(sql))).toHaveLength(1);
  });

  it("lists everything that is wrong at once", () => {
    expect(problemsOf({ "x.sql": "", "0001-a.sql": "", "0002-b.undo.sql": undo }).split("\n")).toHaveLength(
      4,
    );
  });
});

describe("readMigrations", () => {
  it("reads a folder and passes over what is no migration by intent", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ms5-migrations-"));
    try {
      await writeFile(join(folder, "0001-a.sql"), "SELECT 1;");
      await writeFile(join(folder, "0001-a.undo.sql"), undo);
      await writeFile(join(folder, "README.md"), "# Migrations");
      await writeFile(join(folder, ".0001-a.sql.swp"), "");
      expect(await readMigrations(folder)).toHaveLength(1);
      await mkdir(join(folder, "old"));
      await expect(readMigrations(folder)).rejects.toThrow("old: not a migration's name");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("says which folder is not there", async () => {
    await expect(readMigrations("/nowhere/migrations")).rejects.toThrow(
      "cannot read the migrations folder /nowhere/migrations",
    );
  });
});
