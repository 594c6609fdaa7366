import { DatabaseError } from "pg";
import { describe, expect, it } from "vitest";
import { ExitCode, UserError } from "../../infra/errors";
import {
  type FailureContext,
  isConnectionLoss,
  migrationFailure,
} from "../../infra/schema/migrations/failure";
import { parseMigrations } from "../../infra/schema/migrations/files";
import { splitStatements } from "../../infra/schema/migrations/statements";

const sql = "CREATE SCHEMA s;\n\tCREATE VIEW s.v AS\n\t\tSELECT '😀', oops;\n";
const [migration] = parseMigrations(
  [
    { name: "0002-b.sql", content: Buffer.from(sql) },
    { name: "0002-b.undo.sql", content: Buffer.from("SELECT 1;") },
  ],
  "migrations",
);

function context(changes: Partial<FailureContext> = {}): FailureContext {
  if (migration === undefined) throw new Error("one migration");
  return {
    file: migration.forward,
    statement: splitStatements(sql)[1],
    done: ["0001-a.sql"],
    direction: "up",
    lockTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
    invalidIndexes: [],
    ...changes,
  };
}

function databaseError(message: string, fields: Partial<DatabaseError>): DatabaseError {
  return Object.assign(new DatabaseError(message, message.length, "error"), fields);
}

function failure(error: unknown, changes: Partial<FailureContext> = {}): UserError {
  const result = migrationFailure(error, context(changes));
  if (!(result instanceof UserError)) throw result;
  return result;
}

describe("migrationFailure", () => {
  it("points at the character PostgreSQL complains about", () => {
    const error = failure(
      databaseError('column "oops" does not exist', {
        code: "42703",
        position: "34",
        hint: "Perhaps you meant v.",
      }),
    );
    expect(`${error.message}\nfix: ${error.fix}`).toMatchInlineSnapshot(`
      "0002-b.sql:3:15: column "oops" does not exist (SQLSTATE 42703)
        3 | 		SELECT '😀', oops;
          | 		            ^
        hint: Perhaps you meant v.
      0002-b.sql was rolled back. 0001-a.sql before it stays applied.
      fix: correct 0002-b.sql and run this again"
    `);
    expect(error.exitCode).toBe(ExitCode.failed);
  });

  it("points at the statement when PostgreSQL names no character, and shows where in a function it was", () => {
    const { message } = failure(
      databaseError("no", {
        code: "P0001",
        detail: "Because.",
        where: "PL/pgSQL function f() line 3 at RAISE",
      }),
      { done: [] },
    );
    expect(message).toMatchInlineSnapshot(`
      "0002-b.sql:2:2: no (SQLSTATE P0001)
        2 | 	CREATE VIEW s.v AS
          | 	^
        detail: Because.
        context: PL/pgSQL function f() line 3 at RAISE
      0002-b.sql was rolled back. Nothing else was changed."
    `);
  });

  it("says so when it was the commit", () => {
    const error = databaseError("violates foreign key", { code: "23503" });
    expect(failure(error, { statement: undefined }).message).toContain(
      "0002-b.sql: at its end: violates foreign key",
    );
  });

  it.each([
    ["25001", "give 0002-b.sql the header `-- ms5: no-transaction`"],
    ["55P03", "another session kept a lock for more than 10 s"],
    ["57014", "the statement took more than 60 s"],
    ["42501", "run the migrations as the role that owns these objects"],
    ["2BP01", "destroy those resources"],
    ["42601", "correct 0002-b.sql and run this again"],
  ])("knows a way out of %s", (code, fix) => {
    expect(failure(databaseError("x", { code })).fix).toContain(fix);
  });

  it("blames a full disk on the machine", () => {
    expect(failure(databaseError("x", { code: "53100" })).exitCode).toBe(ExitCode.environment);
  });

  it("names what a failed statement outside a transaction left behind", () => {
    const file = { ...context().file, transaction: false };
    const error = failure(databaseError("duplicate key", { code: "23505" }), {
      file,
      invalidIndexes: ["s.i"],
    });
    expect(error.message).toContain("0002-b.sql ran outside a transaction and is not recorded as applied");
    expect(error.fix).toContain("DROP INDEX s.i");
  });

  it("does not claim to know how a lost connection ended", () => {
    const lost = new Error("Connection terminated unexpectedly");
    expect(failure(lost).message).toMatchInlineSnapshot(`
      "the connection was lost while 0002-b.sql ran: Connection terminated unexpectedly
      The server rolls 0002-b.sql back, unless the commit itself had gone through: file and ledger row are one transaction, so the ledger tells. 0001-a.sql before it stays applied."
    `);
    expect(failure(lost, { file: { ...context().file, transaction: false } }).message).toContain(
      "the ledger keeps it as started and not finished",
    );
  });

  it("passes a defect of ours on as it is", () => {
    const defect = new TypeError("undefined is not a function");
    expect(migrationFailure(defect, context())).toBe(defect);
  });
});

describe("isConnectionLoss", () => {
  it("tells a lost session from an error in one", () => {
    expect(isConnectionLoss(databaseError("terminated by administrator", { code: "57P01" }))).toBe(true);
    expect(isConnectionLoss(databaseError("cancelled", { code: "57014" }))).toBe(false);
    expect(isConnectionLoss(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))).toBe(true);
    expect(
      isConnectionLoss(new Error("Client has encountered a connection error and is not queryable")),
    ).toBe(true);
    expect(isConnectionLoss(new Error("something else"))).toBe(false);
    expect(isConnectionLoss("text")).toBe(false);
  });
});
