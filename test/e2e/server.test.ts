// What the other files rely on: a server like a managed one, reached by TLS that is verified.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConnectionTarget, withClient } from "../../infra/schema/postgres";
import { isAlive } from "../../ops/engine/processes";
import { startServer, type TestServer } from "./support/server";

async function value(target: ConnectionTarget, sql: string): Promise<unknown> {
  return withClient(target, async (client) => {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    return rows[0]?.[0];
  });
}

describe("a server like a managed one", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it("has TimescaleDB of the Apache edition, and an admin who is no superuser", async () => {
    expect(await value(server.admin, "SHOW timescaledb.license")).toBe("apache");
    expect(
      await value(server.admin, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"),
    ).toMatch(/^2\./);
    expect(await value(server.admin, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).toBe(
      false,
    );
    expect(await value(server.admin, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).toBe(true);
  });

  it("is refused without its CA, and for a wrong password, without showing either", async () => {
    const { caFile: _, ...withoutCa } = server.admin;
    await expect(value(withoutCa, "SELECT 1")).rejects.toThrow(
      /cannot connect to ms5_admin@localhost.*certificate/,
    );
    const wrong = value({ ...server.admin, password: "not-the-password" }, "SELECT 1");
    await expect(wrong).rejects.toThrow(/password authentication failed for user "ms5_admin"/);
    await expect(wrong).rejects.not.toThrow("not-the-password");
  });

  it("takes no connection without TLS", async () => {
    await expect(value({ ...server.admin, tls: "disable" }, "SELECT 1")).rejects.toThrow(/no encryption/);
  });

  it("has a standby that follows, and refuses writes", async () => {
    const standby = await server.standby();
    try {
      expect(await value(standby.admin, "SELECT pg_is_in_recovery()")).toBe(true);
      await expect(value(standby.admin, "CREATE TABLE t (i int)")).rejects.toThrow(/read-only/);
    } finally {
      await standby.stop();
    }
  });
});

describe("verify-full", () => {
  it.each([
    { certificateFor: "127.0.0.1", host: "127.0.0.1", accepted: true },
    { certificateFor: "localhost", host: "127.0.0.1", accepted: false },
    { certificateFor: "127.0.0.1", host: "localhost", accepted: false },
  ])("a certificate for $certificateFor at $host: $accepted", async ({ certificateFor, host, accepted }) => {
    const server = await startServer({ certificateFor });
    try {
      const login = value({ ...server.admin, host }, "SELECT 1");
      if (accepted) expect(await login).toBe(1);
      else await expect(login).rejects.toThrow(/does not match certificate/);
    } finally {
      await server.stop();
    }
  });
});

it("leaves nothing behind", async () => {
  const server = await startServer();
  const folder = dirname(server.admin.caFile ?? "");
  expect(existsSync(folder)).toBe(true);
  expect(isAlive(server.pid)).toBe(true);
  await server.stop();
  expect(existsSync(folder)).toBe(false);
  expect(isAlive(server.pid)).toBe(false);
});
