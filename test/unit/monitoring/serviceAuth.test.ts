import { chmod, mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Authenticate,
  bearerToken,
  createAuthenticate,
  highestRole,
  requireAccess,
} from "../../../ops/monitoring/service/auth";
import { Problem } from "../../../ops/monitoring/service/problem";
import { makeKeySet, signToken } from "../../../ops/monitoring/service/token";

const issuer = "https://issuer.test";
const audience = "ms5";
let folder = "";
let keySetFile = "";
let authenticate: Authenticate;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
const algorithms = ["RS256", "PS256", "ES256", "EdDSA"];
const pairs = new Map<string, Pair>();
let rsa: Pair;
let stranger: Pair;
let rsaPublic: JWK;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ms5-auth-"));
  ({ keySetFile } = await makeKeySet(folder));
  rsa = await generateKeyPair("RS256", { extractable: true });
  stranger = await generateKeyPair("ES256");
  rsaPublic = { ...(await exportJWK(rsa.publicKey)), kid: "rsa", use: "sig" };
  const { keys } = JSON.parse(await readFile(keySetFile, "utf8"));
  for (const alg of algorithms) pairs.set(alg, await generateKeyPair(alg, { extractable: true }));
  const others = await Promise.all(
    [...pairs].map(async ([alg, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid: alg, alg })),
  );
  await writeFile(keySetFile, JSON.stringify({ keys: [...keys, rsaPublic, ...others] }));
  authenticate = createAuthenticate({
    issuer,
    audience,
    keys: { from: "file", file: keySetFile },
    rolesClaim: "roles",
  });
});
afterAll(() => rm(folder, { recursive: true }));

const now = () => Math.floor(Date.now() / 1_000);
const good = (changes: Record<string, unknown> = {}) => ({
  iss: issuer,
  aud: audience,
  sub: "anna",
  exp: now() + 600,
  roles: ["ms5.reader"],
  ...changes,
});
const signed = (
  claims: Record<string, unknown>,
  header: { alg?: string; kid?: string } = {},
  key = rsa.privateKey,
) => new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "rsa", ...header }).sign(key);

async function refusal(authorization: string | undefined): Promise<Problem> {
  const problem = await authenticate(authorization).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(problem instanceof Problem)) throw new Error(`not refused: ${String(problem)}`);
  return problem;
}

describe("a token", () => {
  it.each(algorithms)("signed with %s is who it says", async (alg) => {
    const token = await signed(good(), { alg, kid: alg }, pairs.get(alg)?.privateKey);
    expect(await authenticate(`Bearer ${token}`)).toEqual({ subject: "anna", role: "ms5.reader" });
  });

  it("may be off by half a minute in both directions", async () => {
    for (const claims of [good({ exp: now() - 20 }), good({ nbf: now() + 20 })]) {
      expect((await authenticate(`Bearer ${await signed(claims)}`)).subject).toBe("anna");
    }
  });

  const bad: Record<string, () => string | Promise<string>> = {
    "alg none": () => new UnsecuredJWT(good()).encode(),
    "alg none with the key's id": () => {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
      return `${part({ alg: "none", kid: "rsa" })}.${part(good())}.`;
    },
    "HS256 with the public key as secret": () =>
      new SignJWT(good())
        .setProtectedHeader({ alg: "HS256", kid: "rsa" })
        .sign(Buffer.from(JSON.stringify(rsaPublic).padEnd(64))),
    expired: () => signed(good({ exp: now() - 31 })),
    "not yet valid": () => signed(good({ nbf: now() + 60 })),
    "without an end": () => signed(good({ exp: undefined })),
    "without a subject": () => signed(good({ sub: undefined })),
    "for another audience": () => signed(good({ aud: "other" })),
    "without audience": () => signed(good({ aud: undefined })),
    "of another issuer": () => signed(good({ iss: "https://evil.test" })),
    "of an unknown key": () => signed(good(), { kid: "unknown" }),
    "forged with a known key's id": () => signed(good(), { alg: "ES256" }, stranger.privateKey),
    "with another signature": async () => `${(await signed(good())).slice(0, -8)}AAAAAAAA`,
    "with other claims under the same signature": async () => {
      const [header, , signature] = (await signed(good())).split(".");
      return `${header}.${Buffer.from(JSON.stringify(good({ roles: ["ms5.admin"] }))).toString("base64url")}.${signature}`;
    },
    "larger than 8 kB": () => signed(good({ padding: "x".repeat(8_192) })),
    "of three empty parts": () => "..",
    "not a token": () => "letmein",
  };
  it.each(Object.entries(bad))("%s is refused, without saying why", async (_name, make) => {
    const problem = await refusal(`Bearer ${await make()}`);
    expect(problem).toMatchObject({
      status: 401,
      detail: "the token is not valid here",
      headers: { "www-authenticate": 'Bearer error="invalid_token"' },
    });
  });

  it("that is not there, or is no bearer token, is asked for", async () => {
    expect(await refusal(undefined)).toMatchObject({
      status: 401,
      headers: { "www-authenticate": "Bearer" },
    });
    expect(await refusal("Basic YTpi")).toMatchObject({ status: 401 });
    expect(bearerToken("bearer a.b.c")).toBe("a.b.c");
    expect(bearerToken("Bearer a.b.c d")).toBeUndefined();
  });
});

describe("roles", () => {
  it("are read from an array or one text; what is unknown gives nothing", () => {
    expect(highestRole(["x", "ms5.reader", "ms5.admin"])).toBe("ms5.admin");
    expect(highestRole("ms5.reader")).toBe("ms5.reader");
    for (const claim of [undefined, null, [], "ms5.root", { "ms5.admin": true }, [["ms5.admin"]]]) {
      expect(highestRole(claim)).toBeUndefined();
    }
  });

  it("admit an admin everywhere, a reader to what is not privileged, and others nowhere", () => {
    const may = (role: "ms5.reader" | "ms5.admin" | undefined, access: "authenticated" | "admin") => {
      try {
        requireAccess({ subject: "a", role }, access);
        return true;
      } catch (error) {
        expect(error).toMatchObject({ status: 403 });
        return false;
      }
    };
    expect([may("ms5.admin", "admin"), may("ms5.admin", "authenticated")]).toEqual([true, true]);
    expect([may("ms5.reader", "admin"), may("ms5.reader", "authenticated")]).toEqual([false, true]);
    expect([may(undefined, "admin"), may(undefined, "authenticated")]).toEqual([false, false]);
  });

  it("may stand in another claim", async () => {
    const other = createAuthenticate({
      issuer,
      audience,
      keys: { from: "file", file: keySetFile },
      rolesClaim: "https://ms5.test/roles",
    });
    const token = await signed(good({ "https://ms5.test/roles": "ms5.admin" }));
    expect((await other(`Bearer ${token}`)).role).toBe("ms5.admin");
  });
});

describe("keys in a file", () => {
  it("are read anew when the file changes, and kept while it is broken", async () => {
    const file = join(folder, "changing.json");
    const fresh = createAuthenticate({ issuer, audience, keys: { from: "file", file }, rolesClaim: "roles" });
    const token = `Bearer ${await signed(good())}`;
    await expect(fresh(token)).rejects.toMatchObject({ status: 503, headers: { "retry-after": "10" } });
    await writeFile(file, JSON.stringify({ keys: [rsaPublic] }));
    expect((await fresh(token)).subject).toBe("anna");
    await writeFile(file, '{"keys": [');
    await utimes(file, new Date(), new Date(Date.now() + 5_000));
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect((await fresh(token)).subject).toBe("anna");
    await writeFile(file, JSON.stringify({ keys: [] }));
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await expect(fresh(token)).rejects.toMatchObject({ status: 401 });
  });
});

describe("a key set of one's own", () => {
  const request = { issuer, audience, subject: "bob", roles: ["ms5.admin"] as const };

  it("signs tokens that the service takes, and is made once", async () => {
    const own = await mkdtemp(join(folder, "own-"));
    const files = await makeKeySet(own);
    const token = await signToken(own, request);
    expect(await makeKeySet(own)).toEqual(files);
    const service = createAuthenticate({
      issuer,
      audience,
      keys: { from: "file", file: files.keySetFile },
      rolesClaim: "roles",
    });
    expect(await service(`Bearer ${token}`)).toEqual({ subject: "bob", role: "ms5.admin" });
    expect((await stat(files.privateKeyFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(files.keySetFile, "utf8")).not.toContain('"d"');
  });

  it("refuses tokens of more than a day, and a key that others can read", async () => {
    for (const seconds of [0, -1, 86_401, 1.5, Number.NaN]) {
      await expect(signToken(folder, { ...request, seconds })).rejects.toThrow("cannot be valid");
    }
    await expect(signToken(join(folder, "nowhere"), request)).rejects.toThrow("there is no signing key");
    const own = await mkdtemp(join(folder, "open-"));
    const { privateKeyFile } = await makeKeySet(own);
    await chmod(privateKeyFile, 0o644);
    await expect(signToken(own, request)).rejects.toThrow("others can read the signing key");
  });
});
