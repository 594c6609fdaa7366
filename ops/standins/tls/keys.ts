/** Private keys: making, reading, writing. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { sshKey } from "./ssh";

export const algorithms = ["RSA", "ECDSA", "ED25519"] as const;
export type Algorithm = (typeof algorithms)[number];
export const curves = ["P224", "P256", "P384", "P521"] as const;

const generate = promisify(generateKeyPair);

/** @param rsaBits modulus length of an RSA key @param curve one of `curves`, for ECDSA */
export async function generateKey(
  algorithm: Algorithm,
  { rsaBits, curve }: { rsaBits: number; curve: string },
): Promise<KeyObject> {
  switch (algorithm) {
    case "RSA":
      return (await generate("rsa", { modulusLength: rsaBits })).privateKey;
    case "ECDSA":
      return (await generate("ec", { namedCurve: curve.replace("P", "P-") })).privateKey;
    case "ED25519":
      return (await generate("ed25519", {})).privateKey;
  }
}

/** Reads PKCS#1, SEC 1 or PKCS#8. @throws Error that names `property`, never the key */
export function parseKey(pem: string, property: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${property} is not a private key in PEM format without a passphrase`);
  }
}

/** @throws Error for a kind of key that TLS certificates here are not made with */
export function algorithmOf(key: KeyObject): Algorithm {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return "RSA";
    case "ec":
      return "ECDSA";
    case "ed25519":
      return "ED25519";
    default:
      throw new Error(`keys of type ${key.asymmetricKeyType} are not supported`);
  }
}

/** The SubjectPublicKeyInfo of a private or public key. */
export function publicDer(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

/** Every encoding of a key that the official plugin gives. */
export function encodings(key: KeyObject): { id: string; outputs: Record<string, string> } {
  const traditional = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" } as const;
  const ssh = sshKey(key);
  return {
    id: createHash("sha1").update(publicDer(key)).digest("hex"),
    outputs: {
      privateKeyPem: key.export({ type: traditional[algorithmOf(key)], format: "pem" }).toString(),
      privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
      privateKeyOpenssh: ssh?.privateKey ?? "",
      publicKeyPem: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
      publicKeyOpenssh: ssh?.publicKey ?? "",
      publicKeyFingerprintMd5: ssh?.md5 ?? "",
      publicKeyFingerprintSha256: ssh?.sha256 ?? "",
    },
  };
}
