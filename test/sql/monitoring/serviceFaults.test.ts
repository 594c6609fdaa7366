// The monitoring service when what it needs is away, hangs, or is asked by a thousand at once.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createAuthenticate } from "../../../ops/monitoring/service/auth";
import { Database, DatabaseUnavailable } from "../../../ops/monitoring/service/database";
import { makeKeySet, signToken } from "../../../ops/monitoring/service/token";
import { embedded } from "../../support/embedded";
import { freePort } from "../../support/freePort";
import { postgresBinaries, startPostgres } from "../../support/postgresServer";
import {
  api,
  audience,
  issuer,
  onLoopback,
  problemOf,
  startTestService,
  type TestService,
} from "./serviceSupport";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that accepts, and does with a connection what it is told: by default nothing, for ever. */
async function fakeServer(serve: (socket: Socket) => void = () => undefined) {
  const sockets = new Set<Socket>();
  const seen = { most: 0, all: 0 };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    seen.all++;
    seen.most = Math.max(seen.most, sockets.size);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

/** A PostgreSQL that lets everybody in and then answers no query. */
function lettingIn(socket: Socket): void {
  const message = (kind: string, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    const head = Buffer.alloc(5);
    head.write(kind);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  socket.once("data", () =>
    socket.write(Buffer.concat([message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))])),
  );
}

async function started(...args: Parameters<typeof startTestService>): Promise<TestService> {
  const service = await startTestService(...args);
  cleanups.push(() => service.stop());
  return service;
}

/** ms it may take, as promised; machines that test are slow, so with some seconds on top. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${ms} ms`)), ms + 3_000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const kinds: Record<string, () => Promise<number>> = {
  "that refuses": freePort,
  "that accepts and says nothing": async () => (await fakeServer()).port,
  "that lets in and answers no query": async () => (await fakeServer(lettingIn)).port,
  "that hangs up": async () => (await fakeServer((socket) => socket.destroy())).port,
  "that is no PostgreSQL": async () =>
    (await fakeServer((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"))).port,
};

describe.each(Object.entries(kinds))("a database %s", (_name, makePort) => {
  it.each([
    ["of its own", false],
    ["of one session", true],
  ])("gives 503 in time, and health all the same (%s)", async (_kind, singleSession) => {
    const service = await started(onLoopback(await makePort(), { singleSession }));
    for (const path of ["/jobs", "/oee", "/metrics/hypertables"]) {
      const response = await within(3_000, service.get(`${api}${path}`, "ms5.admin"));
      expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
      expect((await problemOf(response)).status).toBe(503);
    }
    const health = await within(2_000, service.get(`${api}/health`));
    expect(health.status).toBe(503);
    const body = await health.json();
    expect(body).toMatchObject({ status: "unhealthy", checks: [{ name: "database", status: "unhealthy" }] });
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|ECONN|timeout/);
    expect((await service.get("/metrics")).status).toBe(200);
  });
});

describe("a thousand requests at once", () => {
  const database = embedded();
  const wellFormed = async (response: Response) => {
    if (response.status !== 200) return (await problemOf(response)).status;
    await response.json();
    return 200;
  };
  const thousand = (service: TestService, headers: Record<string, string>, path: (n: number) => string) =>
    Promise.all(
      Array.from({ length: 1_000 }, async (_, n) =>
        wellFormed(await fetch(`${service.url}${api}${path(n)}`, { headers })),
      ),
    );

  it("of a working database get an answer each, and the pool stays as small as it is", async () => {
    const service = await started(onLoopback(database.target.port, { singleSession: true }));
    const headers = { authorization: `Bearer ${await service.token(["ms5.admin"])}` };
    // Different each, so that none can share another's result.
    const statuses = await thousand(service, headers, (n) => `/metrics/chunks?limit=${n + 1}`);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(statuses).toContain(200);
    expect((await service.get(`${api}/health`)).status).toBe(200);
    const same = await thousand(service, headers, () => "/metrics/hypertables");
    expect(new Set(same)).toEqual(new Set([200]));
  });

  it("of a hanging one do not pile up", async () => {
    const { port, seen } = await fakeServer(lettingIn);
    const service = await started(onLoopback(port));
    const headers = { authorization: `Bearer ${await service.token(["ms5.admin"])}` };
    const statuses = await thousand(service, headers, (n) => `/metrics/chunks?limit=${n + 1}`);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(seen.most).toBeLessThanOrEqual(3);
    expect((await within(2_000, service.get(`${api}/health`))).status).toBe(503);
    expect(seen.most).toBeLessThanOrEqual(4);
  });

  it("of one subject are limited, and those of others are not", async () => {
    const service = await started(onLoopback(database.target.port, { singleSession: true }), {
      limits: { perAddress: 10_000, perSubject: 120 },
    });
    const headers = { authorization: `Bearer ${await service.token(["ms5.admin"])}` };
    const statuses = await thousand(service, headers, () => "/jobs");
    expect(statuses.filter((status) => status === 200)).toHaveLength(120);
    expect(statuses.filter((status) => status === 429)).toHaveLength(880);
    const limited = await fetch(`${service.url}${api}/jobs`, { headers });
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await service.get(`${api}/machines`, "ms5.reader")).status).not.toBe(429);
  });

  it("of one address are limited before anybody looks at a token", async () => {
    const service = await started(onLoopback(await freePort()), {
      limits: { perAddress: 600, perSubject: 120 },
    });
    const statuses = await thousand(service, { authorization: "Bearer a.b.c" }, () => "/jobs");
    expect(statuses.filter((status) => status === 401)).toHaveLength(600);
    expect(statuses.filter((status) => status === 429)).toHaveLength(400);
  });
});

describe("connections", () => {
  it("take the password from its file each time", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ms5-password-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const passwordFile = join(folder, "password");
    const passwords: string[] = [];
    const { port } = await fakeServer((socket) => {
      socket.once("data", () => {
        // AuthenticationCleartextPassword
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        socket.once("data", (answer) => {
          passwords.push(answer.subarray(5, -1).toString());
          socket.destroy();
        });
      });
    });
    const database = new Database(onLoopback(port, { passwordFile }), 1);
    cleanups.push(() => database.close());
    for (const password of ["first", "second"]) {
      await writeFile(passwordFile, `${password}\n`);
      await expect(database.read(async () => 1)).rejects.toBeInstanceOf(DatabaseUnavailable);
    }
    expect(passwords).toEqual(["first", "second"]);
    await rm(passwordFile);
    await expect(database.read(async () => 1)).rejects.toMatchObject({ why: "down" });
  });

  it("are never made in clear where TLS is asked for", async () => {
    const sent: Buffer[] = [];
    const { port } = await fakeServer((socket) => {
      socket.on("data", (data) => {
        sent.push(data);
        // No TLS here.
        socket.write("N");
      });
    });
    const database = new Database(onLoopback(port, { tls: "verify-full" }), 1);
    cleanups.push(() => database.close());
    await expect(database.read(async () => 1)).rejects.toMatchObject({ why: "down" });
    // The request for TLS, and no more.
    expect(Buffer.concat(sent).length).toBe(8);
  });

  it.skipIf(postgresBinaries === undefined)(
    "are read-only, and a slow query ends by itself on the server",
    async () => {
      const server = await startPostgres();
      cleanups.push(() => server.stop());
      const database = new Database(onLoopback(server.target.port, { database: "postgres" }), 2);
      cleanups.push(() => database.close());
      await expect(database.read((client) => client.query("CREATE TABLE t ()"))).rejects.toMatchObject({
        code: "25006",
      });
      await expect(database.read((client) => client.query("SELECT pg_sleep(10)"))).rejects.toMatchObject({
        why: "slow",
      });
      expect(
        await database.read(
          async (client) => (await client.query<{ a: number }>("SELECT $1::int AS a", [1])).rows,
        ),
      ).toEqual([{ a: 1 }]);
      expect(database.counts()).toMatchObject({ most: 2, waiting: 0 });
    },
  );
});

describe("keys from a URL", () => {
  let folder = "";
  let keys = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ms5-keys-"));
    const { keySetFile } = await makeKeySet(folder);
    keys = await readFile(keySetFile, "utf8");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function provider(answer: (path: string) => { status: number; body: string } | undefined) {
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(request.url ?? "");
      const found = answer(request.url ?? "");
      // Hangs otherwise.
      if (found !== undefined)
        response.writeHead(found.status, { "content-type": "application/json" }).end(found.body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }
  const tokenOf = (whose: string) =>
    signToken(folder, { issuer: whose, audience, subject: "anna", roles: ["ms5.reader"] });

  it("are fetched once, and an unknown key's name does not have them fetched each time", async () => {
    const { asked, url } = await provider(() => ({ status: 200, body: keys }));
    const authenticate = createAuthenticate({
      issuer,
      audience,
      keys: { from: "url", url: `${url}/keys` },
      rolesClaim: "roles",
    });
    const token = `Bearer ${await tokenOf(issuer)}`;
    await Promise.all(Array.from({ length: 50 }, () => authenticate(token)));
    expect(asked).toEqual(["/keys"]);
    const other = await mkdtemp(join(tmpdir(), "ms5-other-"));
    cleanups.push(() => rm(other, { recursive: true }));
    await makeKeySet(other);
    const foreign = await signToken(other, { issuer, audience, subject: "eve", roles: ["ms5.admin"] });
    for (let n = 0; n < 20; n++)
      await expect(authenticate(`Bearer ${foreign}`)).rejects.toMatchObject({ status: 401 });
    expect(asked).toHaveLength(1);
  });

  it("are found through the issuer's OpenID configuration", async () => {
    let self = "";
    const { asked, url } = await provider((path) =>
      path === "/keys"
        ? { status: 200, body: keys }
        : { status: 200, body: JSON.stringify({ issuer: self, jwks_uri: `${self}/keys` }) },
    );
    self = url;
    const authenticate = createAuthenticate({
      issuer: url,
      audience,
      keys: { from: "discovery" },
      rolesClaim: "roles",
    });
    expect(await authenticate(`Bearer ${await tokenOf(url)}`)).toEqual({
      subject: "anna",
      role: "ms5.reader",
    });
    expect(asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  it.each([
    ["another issuer's", (url: string) => ({ issuer: "https://evil.test", jwks_uri: `${url}/keys` })],
    ["one with keys in clear", (url: string) => ({ issuer: url, jwks_uri: "http://evil.test/keys" })],
    ["no", () => ({})],
  ])("%s configuration is not believed", async (_name, document) => {
    let self = "";
    const { url } = await provider(() => ({ status: 200, body: JSON.stringify(document(self)) }));
    self = url;
    const authenticate = createAuthenticate({
      issuer: url,
      audience,
      keys: { from: "discovery" },
      rolesClaim: "roles",
    });
    await expect(authenticate(`Bearer ${await tokenOf(url)}`)).rejects.toMatchObject({ status: 503 });
  });

  it.each([
    ["fails", { status: 500, body: "{}" }],
    ["hangs", undefined],
    ["talks nonsense", { status: 200, body: "<html>" }],
  ])(
    "from a place that %s: 503 for who needs a token, and it is left in peace for a while",
    async (_name, answer) => {
      const { asked, url } = await provider(() => answer);
      const service = await started(onLoopback(await freePort()), {
        tokens: { issuer, audience, keys: { from: "url", url: `${url}/keys` }, rolesClaim: "roles" },
      });
      const authorization = `Bearer ${await tokenOf(issuer)}`;
      const ask = () => service.get(`${api}/jobs`, undefined, { authorization });
      const answers = await within(3_000, Promise.all(Array.from({ length: 100 }, ask)));
      for (const response of answers) {
        expect(response.headers.get("retry-after")).toBe("10");
        expect((await problemOf(response)).status).toBe(503);
      }
      expect((await ask()).status).toBe(503);
      expect(asked).toHaveLength(1);
      expect((await service.get("/metrics")).status).toBe(200);
      expect((await service.get(`${api}/jobs`)).status).toBe(401);
    },
  );
});

describe("stopping", () => {
  it("lets a request under way finish, takes no new one, and leaves no connection", async () => {
    let finish: () => void = () => undefined;
    let came: () => void = () => undefined;
    const under = new Promise<void>((resolve) => {
      came = resolve;
    });
    const service = await started(
      onLoopback(await freePort()),
      {},
      {
        routes: [
          () => async (app) => {
            app.get("/slow", { config: { access: "public" } }, async () => {
              came();
              await new Promise<void>((resolve) => {
                finish = resolve;
              });
              return { done: true };
            });
          },
        ],
      },
    );
    const slow = service.get(`${api}/slow`);
    await under;
    const closed = service.service.close();
    await expect
      .poll(() =>
        fetch(`${service.url}/metrics`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .not.toBe(200);
    finish();
    expect(await (await slow).json()).toEqual({ done: true });
    await closed;
  });
});

describe("as a program of its own", () => {
  const program = (env: Record<string, string>) =>
    spawn(
      process.execPath,
      [
        "--require",
        "tsx/cjs",
        "-e",
        'require("./ops/monitoring/service/main").runService().then(() => process.exit(0), (error) => { console.error(error.message); process.exit(2); })',
      ],
      { env: { PATH: process.env.PATH, ...env }, stdio: ["ignore", "pipe", "pipe"] },
    );

  it("it says what it lacks", async () => {
    const child = program({});
    const said = await text(child.stderr);
    expect(said).toContain("MS5_MONITORING_DATABASE is not set");
    expect(said).toContain("MS5_MONITORING_TELEMETRY_PASSWORD_FILE is not set");
  });

  it("it serves while the database is away, until it is told to stop", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ms5-program-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const { keySetFile } = await makeKeySet(folder);
    const password = join(folder, "password");
    await writeFile(password, "secret");
    const [port, away] = [await freePort(), await freePort()];
    const child = program({
      MS5_MONITORING_LISTEN: `127.0.0.1:${port}`,
      MS5_MONITORING_DATABASE: `postgres://ms5_monitor@127.0.0.1:${away}/factory?sslmode=disable`,
      MS5_MONITORING_PASSWORD_FILE: password,
      MS5_MONITORING_TELEMETRY: `postgres://ms5_reader@127.0.0.1:${away}/factory?sslmode=disable`,
      MS5_MONITORING_TELEMETRY_PASSWORD_FILE: password,
      MS5_MONITORING_ISSUER: issuer,
      MS5_MONITORING_AUDIENCE: audience,
      MS5_MONITORING_JWKS_FILE: keySetFile,
    });
    const exited = once(child, "exit");
    cleanups.push(async () => child.kill("SIGKILL"));
    const out = text(child.stdout);
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${api}${path}`).then(({ status }) => status);
    await expect.poll(() => ask("/health").catch(() => 0), { timeout: 30_000 }).toBe(503);
    expect(await ask("/jobs")).toBe(401);
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    const lines = (await out)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ audit }) => audit === true)).toMatchObject([
      { route: `${api}/jobs`, status: 401 },
    ]);
    expect(lines.filter(({ msg }) => msg === "answered")).toContainEqual(
      expect.objectContaining({ route: `${api}/health`, status: 503 }),
    );
  });
});
