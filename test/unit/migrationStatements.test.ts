import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutOwnCommits } from "../../infra/schema/migrations/embeddedBuild";
import {
  offsetOfErrorPosition,
  positionAt,
  splitStatements,
  type UnfinishedSql,
} from "../../infra/schema/migrations/statements";

const texts = (sql: string): string[] => splitStatements(sql).map((statement) => statement.text);

describe("splitStatements", () => {
  it("splits at semicolons and leaves comments and empty statements between them out", () => {
    expect(texts("-- a\nSELECT 1; /* b */ ;\n;SELECT 2")).toEqual(["SELECT 1", "SELECT 2"]);
    expect(texts("")).toEqual([]);
    expect(texts("-- only a comment")).toEqual([]);
  });

  it.each([
    ["a string", "SELECT ';''; ' ; SELECT 2"],
    ["an escape string", "SELECT E'\\';' ; SELECT 2"],
    ["a string that ends in a backslash", "SELECT '\\' ; SELECT 2"],
    ["a quoted name", 'SELECT 1 AS "a;"";" ; SELECT 2'],
    ["a dollar quote", "DO $$ BEGIN; END; $$ ; SELECT 2"],
    ["a tagged dollar quote", "DO $a$ $$;$b$; $a$ ; SELECT 2"],
    ["a name with a dollar sign", "SELECT a$b$ ; SELECT 2"],
    ["parameters", "PREPARE p AS SELECT $1, $2 ; SELECT 2"],
    ["a line comment", "SELECT 1 -- ;\n ; SELECT 2"],
    ["nested comments", "SELECT /* /* ; */ ; */ 1 ; SELECT 2"],
    [
      "a rule with several commands",
      "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2) ; SELECT 2",
    ],
    [
      "an SQL function body",
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END ; SELECT 2",
    ],
  ])("does not split inside %s", (_, sql) => {
    const split = texts(sql);
    expect(split).toHaveLength(2);
    expect(split[1]).toBe("SELECT 2");
  });

  it("knows the first words, where the statement starts and nothing of what is quoted", () => {
    const sql = '\n  create index concurrently "i" on t (a);\n';
    expect(splitStatements(sql)).toEqual([
      {
        text: 'create index concurrently "i" on t (a)',
        offset: 3,
        words: ["CREATE", "INDEX", "CONCURRENTLY", "ON", "T", "A"],
      },
    ]);
  });

  it.each([
    ["SELECT 'a;", "a string", 7],
    ['SELECT "a;', "a quoted name", 7],
    ["DO $x$ a $y$;", "a $x$ string", 3],
    ["SELECT /* /* */ 1;", "a comment", 7],
    ["SELECT (1;", "a parenthesis", 7],
  ])("names what %j leaves open", (sql, what, offset) => {
    expect(() => splitStatements(sql)).toThrow(expect.objectContaining({ what, offset }) as UnfinishedSql);
  });

  it("finds again whatever statements it is given, whole and at their place", () => {
    const piece = fc.constantFrom(
      "SELECT 1",
      "SELECT ';'",
      "SELECT E'\\';'",
      'SELECT 1 AS ";"',
      "DO $q$;$q$",
      "INSERT INTO t VALUES (1, 'ä;😀')",
      "SELECT 1 /* ; */ + 2",
    );
    const gap = fc.constantFrom(";", ";\n", " ; -- ;\n", ";/* ; */", ";;");
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, gap), { maxLength: 8 }), (parts) => {
        const sql = parts.flat().join("");
        const found = splitStatements(sql);
        expect(found.map(({ text }) => text)).toEqual(parts.map(([text]) => text));
        for (const { text, offset } of found) expect(sql.slice(offset, offset + text.length)).toBe(text);
      }),
    );
  });
});

describe("positions", () => {
  it("count lines and characters from 1", () => {
    expect(positionAt("ab\ncd", 0)).toEqual({ line: 1, column: 1 });
    expect(positionAt("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
    expect(positionAt("😀b", 2)).toEqual({ line: 1, column: 2 });
  });

  it("take PostgreSQL's characters for characters, also where JavaScript counts two", () => {
    expect(offsetOfErrorPosition("SELECT '😀', x", 13)).toBe("SELECT '😀', x".indexOf("x"));
    expect(offsetOfErrorPosition("SELECT x", 8)).toBe(7);
  });
});

describe("withoutOwnCommits", () => {
  const plain = (sql: string): string[] =>
    splitStatements(sql).map((statement) => {
      const text = withoutOwnCommits(statement);
      expect(text).toHaveLength(statement.text.length);
      return text.replaceAll(/ +/g, " ");
    });

  it("takes out of index statements what the embedded database cannot bear, and nothing else", () => {
    expect(plain("create index concurrently i on t (a)")).toEqual(["create index i on t (a)"]);
    expect(plain("DROP INDEX CONCURRENTLY IF EXISTS s.i")).toEqual(["DROP INDEX IF EXISTS s.i"]);
    expect(plain("CREATE INDEX i ON t (a) WITH (timescaledb.transaction_per_chunk)")).toEqual([
      "CREATE INDEX i ON t (a) ",
    ]);
    expect(plain("REFRESH MATERIALIZED VIEW CONCURRENTLY v")).toEqual([
      "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    ]);
    expect(plain("CREATE INDEX i ON t (a) WHERE a = 'x' AND b = 'concurrently'")).toEqual([
      "CREATE INDEX i ON t (a) WHERE a = 'x' AND b = 'concurrently'",
    ]);
  });
});
