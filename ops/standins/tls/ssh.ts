/** OpenSSH's encodings of keys: RFC 4253 section 6.6, RFC 5656, RFC 8709, and OpenSSH's PROTOCOL.key. */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject, randomBytes } from "node:crypto";

export interface SshKey {
  /** Authorized-keys line, with a line end. */
  readonly publicKey: string;
  /** `openssh-key-v1` PEM, not encrypted. */
  readonly privateKey: string;
  /** `aa:bb:…` */
  readonly md5: string;
  /** `SHA256:…` */
  readonly sha256: string;
}

/** `undefined` for a key that OpenSSH has no format for (ECDSA on P-224). */
export function sshKey(privateKey: KeyObject): SshKey | undefined {
  const parts = keyParts(privateKey);
  if (parts === undefined) return undefined;
  const blob = Buffer.concat([string(parts.type), ...parts.public]);
  return {
    publicKey: `${parts.type} ${blob.toString("base64")}\n`,
    privateKey: pem(privateFile(blob, parts)),
    md5: (createHash("md5").update(blob).digest("hex").match(/../g) ?? []).join(":"),
    sha256: `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`,
  };
}

interface KeyParts {
  readonly type: string;
  readonly public: readonly Buffer[];
  readonly private: readonly Buffer[];
}

const sshCurves: Record<string, string> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

function keyParts(privateKey: KeyObject): KeyParts | undefined {
  if (privateKey.asymmetricKeyType === "ec" && privateKey.asymmetricKeyDetails?.namedCurve === "secp224r1") {
    return undefined;
  }
  const jwk = privateKey.export({ format: "jwk" });
  const number = (name: keyof JsonWebKey): Buffer => positive(bytes(jwk, name));
  switch (jwk.kty) {
    case "RSA": {
      const type = "ssh-rsa";
      const [n, e] = [number("n"), number("e")];
      return {
        type,
        public: [e, n],
        private: [n, e, number("d"), number("qi"), number("p"), number("q")],
      };
    }
    case "EC": {
      const curve = sshCurves[jwk.crv ?? ""];
      if (curve === undefined) return undefined;
      const point = string(Buffer.concat([Buffer.from([4]), bytes(jwk, "x"), bytes(jwk, "y")]));
      return {
        type: `ecdsa-sha2-${curve}`,
        public: [string(curve), point],
        private: [string(curve), point, number("d")],
      };
    }
    case "OKP": {
      const publicBytes = bytes(createPublicKey(privateKey).export({ format: "jwk" }), "x");
      return {
        type: "ssh-ed25519",
        public: [string(publicBytes)],
        private: [string(publicBytes), string(Buffer.concat([bytes(jwk, "d"), publicBytes]))],
      };
    }
    default:
      return undefined;
  }
}

function privateFile(publicBlob: Buffer, parts: KeyParts): Buffer {
  // The same random number twice: how a reader tells a wrong passphrase.
  const check = randomBytes(4);
  const comment = string("");
  const unpadded = Buffer.concat([check, check, string(parts.type), ...parts.private, comment]);
  const padding = Buffer.from(Array.from({ length: (8 - (unpadded.length % 8)) % 8 }, (_, i) => i + 1));
  return Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"),
    string("none"),
    string(""),
    uint32(1),
    string(publicBlob),
    string(Buffer.concat([unpadded, padding])),
  ]);
}

function bytes(jwk: JsonWebKey, name: keyof JsonWebKey): Buffer {
  const value = jwk[name];
  if (typeof value !== "string") throw new Error(`the key lacks its ${String(name)}`);
  return Buffer.from(value, "base64url");
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function string(value: string | Buffer): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([uint32(content.length), content]);
}

/** An `mpint`: no leading zeros, but one where the number would otherwise read as negative. */
function positive(value: Buffer): Buffer {
  const start = value.findIndex((byte) => byte !== 0);
  const significant = start === -1 ? Buffer.alloc(0) : value.subarray(start);
  const negative = (significant[0] ?? 0) > 0x7f;
  return string(negative ? Buffer.concat([Buffer.from([0]), significant]) : significant);
}

function pem(content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  const label = "OPENSSH PRIVATE KEY";
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
