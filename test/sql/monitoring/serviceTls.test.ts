// The monitoring service over TLS, and without a database or an issuer.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newAuthority } from "../../cluster/certificates";
import { freePort } from "../../support/freePort";
import { api, onLoopback, startTestService, type TestService } from "./serviceSupport";

const authority = newAuthority();
let folder = "";
let service: TestService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ms5-tls-"));
  const { certificate, key } = authority.issue({ commonName: "monitoring-api" }, { dns: ["localhost"] });
  const [certificateFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  await writeFile(certificateFile, certificate);
  await writeFile(keyFile, key, { mode: 0o600 });
  service = await startTestService(onLoopback(await freePort()), {
    tls: { certificateFile, keyFile },
    tokens: undefined,
  });
});
afterAll(async () => {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(path: string, options: { ca?: string; servername?: string; headers?: Record<string, string> }) {
  const { port } = new URL(service.url);
  return new Promise<Answer>((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, servername: "localhost", ...options }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    }).once("error", reject);
  });
}

it("has the certificate it was given, and no other way in", async () => {
  expect(service.url).toMatch(/^https:/);
  expect(await ask("/alive", { ca: authority.certificate })).toEqual({ status: 200, body: '{"alive":true}' });
  await expect(ask("/alive", {})).rejects.toThrow(/certificate/);
  await expect(ask("/alive", { ca: newAuthority().certificate })).rejects.toThrow(/certificate/);
  await expect(ask("/alive", { ca: authority.certificate, servername: "other.test" })).rejects.toThrow(
    "other.test",
  );
  await expect(fetch(service.url.replace("https:", "http:"))).rejects.toThrow();
});

it("is alive without a database, which its health is not", async () => {
  const { status, body } = await ask(`${api}/health`, { ca: authority.certificate });
  expect([status, JSON.parse(body).status]).toEqual([503, "unhealthy"]);
});

it("takes no token when it is told of no issuer", async () => {
  for (const headers of [{}, { authorization: `Bearer ${await service.token(["ms5.admin"])}` }]) {
    expect((await ask(`${api}/jobs`, { ca: authority.certificate, headers })).status).toBe(401);
  }
});
