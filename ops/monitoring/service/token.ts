// Tokens without an issuer: a key of one's own signs them, and the service trusts its public half
// (MS5_MONITORING_JWKS_FILE). For clusters that have no OpenID provider, and for tests.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { UserError } from "../../../infra/errors";
import type { Role } from "./auth";

const algorithm = "ES256";

export interface KeySet {
  /** Whoever has it makes tokens of any role. Mode 0600. */
  readonly privateKeyFile: string;
  /** JSON Web Key Set with the public key, for the service. */
  readonly keySetFile: string;
}

/** Where makeKeySet puts them. */
export function filesOf(folder: string): KeySet {
  return { privateKeyFile: join(folder, "signing-key.json"), keySetFile: join(folder, "keys.json") };
}

/**
 * Makes a signing key in `folder`, unless there is one.
 * @throws UserError when the private key that is there can be read by others
 */
export async function makeKeySet(folder: string): Promise<KeySet> {
  const files = filesOf(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const key: JWK = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: algorithm, use: "sig" };
  await writeFile(files.privateKeyFile, `${JSON.stringify(key)}\n`, { mode: 0o600, flag: "wx" }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
  // From the file, which may have been there before us.
  const { d: _secret, ...publicKey } = await readPrivateKey(files.privateKeyFile);
  await writeFile(files.keySetFile, `${JSON.stringify({ keys: [publicKey] }, undefined, 2)}\n`);
  return files;
}

async function readPrivateKey(file: string): Promise<JWK> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`there is no signing key at ${file} (${error.code})`, {
      fix: "make one first: npm run ops -- monitoring keys, with the same --folder",
      cause: error,
    });
  });
  if ((found.mode & 0o077) !== 0) {
    throw new UserError(`others can read the signing key ${file}`, {
      fix: `it may have been copied: delete it, make a new one, and give the service the new keys.json (or, if you are sure: chmod 600 ${file})`,
    });
  }
  return JSON.parse(await readFile(file, "utf8")) as JWK;
}

export interface TokenRequest {
  readonly issuer: string;
  readonly audience: string;
  /** Who it is for; stands in the audit. */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** Claim that holds the roles; default roles. */
  readonly rolesClaim?: string;
  /** How long it is valid; default one hour, at most a day: a token cannot be taken back. */
  readonly seconds?: number;
}

const mostSeconds = 86_400;

/**
 * @param folder where makeKeySet was
 * @throws UserError without a key there, or for a time that is not 1 s to 24 h
 */
export async function signToken(folder: string, request: TokenRequest): Promise<string> {
  const { seconds = 3_600, rolesClaim = "roles" } = request;
  if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= mostSeconds)) {
    throw new UserError(`a token cannot be valid for ${seconds} s`, { fix: "choose 1 s to 24 h" });
  }
  const key = await readPrivateKey(filesOf(folder).privateKeyFile);
  return new SignJWT({ [rolesClaim]: [...request.roles] })
    .setProtectedHeader({ alg: algorithm, typ: "JWT", ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .setIssuer(request.issuer)
    .setAudience(request.audience)
    .setSubject(request.subject)
    .setIssuedAt()
    .setExpirationTime(`${seconds}s`)
    .sign(await importJWK(key, algorithm));
}
