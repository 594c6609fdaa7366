// The public keys that tokens are verified with: from a file, a URL, or where the issuer's OpenID configuration says.
import { readFile, stat } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import { isSafeUrl, type TokenSettings } from "./settings";

/** Nobody can be told from anybody until the keys are back. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/** ms */
const fetchMs = 2_000;
/** ms between two looks for a key that is not among the known ones: forged key ids don't make us ask each time. */
const unknownKeyCooldownMs = 30_000;
/** ms that nobody asks a place that has just failed. */
const failureCooldownMs = 10_000;
/** ms after which known keys are fetched again, so that a withdrawn one stops working. */
const keepMs = 600_000;
/** ms between two looks at the file's date. */
const lookMs = 1_000;

/** @returns what finds the key of a token; it throws KeysUnavailable, or an error of jose when there is no such key */
export function keySource({ keys, issuer }: TokenSettings): JWTVerifyGetKey {
  if (keys.from === "file") return fileKeys(keys.file);
  return remoteKeys(keys.from === "url" ? async () => keys.url : () => discover(issuer));
}

function remoteKeys(address: () => Promise<string>): JWTVerifyGetKey {
  let remote: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined;
  let failedUntil = Number.NEGATIVE_INFINITY;
  const open = async () =>
    createRemoteJWKSet(new URL(await address()), {
      timeoutDuration: fetchMs,
      cooldownDuration: unknownKeyCooldownMs,
      cacheMaxAge: keepMs,
    });
  return async (header, token) => {
    if (performance.now() < failedUntil)
      throw new KeysUnavailable("the keys could not be fetched a moment ago");
    try {
      remote ??= open();
      return await (await remote)(header, token);
    } catch (error) {
      if (isNoKey(error)) throw error;
      failedUntil = performance.now() + failureCooldownMs;
      // Only a failed look-up of the address is done anew: jose keeps what it knows of the keys.
      await remote?.catch(() => {
        remote = undefined;
      });
      throw new KeysUnavailable("the keys could not be fetched", { cause: error });
    }
  };
}

/** The token names a key that there is not, or none where there are several: the token's fault, not the keys'. */
function isNoKey(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

const openIdConfiguration = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** OpenID Connect Discovery 1.0, section 4. */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await fetch(url, {
    signal: AbortSignal.timeout(fetchMs),
    redirect: "error",
    headers: { accept: "application/json" },
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const found = openIdConfiguration.parse(await response.json());
  if (found.issuer !== issuer) throw new Error(`${url} is the configuration of another issuer`);
  if (!isSafeUrl(found.jwks_uri)) throw new Error(`${url} names keys that are not at an https:// URL`);
  return found.jwks_uri;
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

function fileKeys(file: string): JWTVerifyGetKey {
  let known: { readonly version: string; readonly find: JWTVerifyGetKey } | undefined;
  let looked = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const look = async () => {
    const { mtimeMs, ino, size } = await stat(file);
    const version = `${mtimeMs} ${ino} ${size}`;
    if (version === known?.version) return;
    known = { version, find: createLocalJWKSet(keySet.parse(JSON.parse(await readFile(file, "utf8")))) };
  };
  return async (header, token) => {
    if (performance.now() - looked >= lookMs || known === undefined) {
      looking ??= look()
        // A file that is being written is whole at the next look; until then the keys before hold.
        .catch((error: unknown) => {
          if (known === undefined)
            throw new KeysUnavailable("the key set file cannot be read", { cause: error });
        })
        .finally(() => {
          looked = performance.now();
          looking = undefined;
        });
      await looking;
    }
    if (known === undefined) throw new KeysUnavailable("the key set file cannot be read");
    return known.find(header, token);
  };
}
