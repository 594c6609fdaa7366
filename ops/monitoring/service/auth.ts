// Who asks, and what they may: bearer tokens (JWT, RFC 7519) of one issuer for one audience.
import { jwtVerify } from "jose";
import { KeysUnavailable, keySource } from "./keys";
import { Problem } from "./problem";
import type { TokenSettings } from "./settings";

/** An admin may do what a reader may. */
export const roles = ["ms5.reader", "ms5.admin"] as const;
export type Role = (typeof roles)[number];

/** What a route asks for. */
export type Access = "public" | "authenticated" | "admin";

export interface Identity {
  readonly subject: string;
  /** The highest; undefined for a valid token that names none of ours. */
  readonly role: Role | undefined;
}

/**
 * Signatures by a private key only. With HS256 among them the public key would be a secret that everybody knows, and
 * `none` needs no key at all.
 */
const algorithms = ["RS256", "PS256", "ES256", "EdDSA"];
/** Of a token; what issuers make has 1 to 2 kB. */
const mostBytes = 8_192;
/** s by which two clocks may differ. */
const clockTolerance = 30;

/** What a token was refused for stays here: told to who sends it, it would help only a forger. */
const challenge = (known: boolean) => ({
  "www-authenticate": known ? 'Bearer error="invalid_token"' : "Bearer",
});

export function notAuthenticated(tokenSent: boolean, cause?: unknown): Problem {
  return new Problem(
    401,
    tokenSent ? "the token is not valid here" : "send a token: Authorization: Bearer TOKEN",
    challenge(tokenSent),
    { cause },
  );
}

export type Authenticate = (authorization: string | undefined) => Promise<Identity>;

/**
 * @returns what turns an Authorization header into who it is
 *   - throws Problem 401 for no token, and for every kind of bad one; 503 while keys cannot be had
 */
export function createAuthenticate(settings: TokenSettings): Authenticate {
  const key = keySource(settings);
  return async (authorization) => {
    if (authorization === undefined) throw notAuthenticated(false);
    const token = bearerToken(authorization);
    if (token === undefined) throw notAuthenticated(true);
    try {
      const { payload } = await jwtVerify(token, key, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms,
        clockTolerance,
        requiredClaims: ["exp", "sub"],
      });
      return {
        subject: String(payload.sub).slice(0, 200),
        role: highestRole(payload[settings.rolesClaim]),
      };
    } catch (error) {
      if (error instanceof KeysUnavailable) {
        throw new Problem(
          503,
          "tokens cannot be checked at the moment",
          { "retry-after": "10" },
          { cause: error },
        );
      }
      throw notAuthenticated(true, error);
    }
  };
}

/** @returns undefined for what is no bearer token, or too long to be looked at */
export function bearerToken(authorization: string): string | undefined {
  if (authorization.length > mostBytes + "Bearer ".length) return undefined;
  return /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(authorization)?.[1];
}

export function highestRole(claim: unknown): Role | undefined {
  const named = Array.isArray(claim) ? claim : [claim];
  return roles.findLast((role) => named.includes(role));
}

/** @throws Problem 403 */
export function requireAccess(identity: Identity, access: Exclude<Access, "public">): void {
  const needed: Role = access === "admin" ? "ms5.admin" : "ms5.reader";
  if (identity.role === undefined || roles.indexOf(identity.role) < roles.indexOf(needed)) {
    throw new Problem(403, `this needs the role ${needed}`);
  }
}
