// What other programs make of the tls stand-in's keys and certificates.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkInputs } from "../../ops/standins/kind";
import { tls } from "../../ops/standins/tls";
import type { Bag } from "../../ops/standins/values";

const has = (program: string) => spawnSync(program, ["-V"]).error === undefined;

const make = async (type: string, given: Bag): Promise<Bag> => {
  const kind = tls.configure({})[type];
  if (kind === undefined) throw new Error(`no ${type}`);
  const { inputs } = checkInputs(kind, {}, given, { resourceName: "r", seed: new Uint8Array() });
  return (await kind.create(inputs, "urn")).state;
};
const makeKey = (given: Bag) => make("tls:index/privateKey:PrivateKey", given);

const keys: [string, Bag][] = [
  ["RSA", { algorithm: "RSA" }],
  ["P224", { algorithm: "ECDSA", ecdsaCurve: "P224" }],
  ["P256", { algorithm: "ECDSA", ecdsaCurve: "P256" }],
  ["P384", { algorithm: "ECDSA", ecdsaCurve: "P384" }],
  ["P521", { algorithm: "ECDSA", ecdsaCurve: "P521" }],
  ["ED25519", { algorithm: "ED25519" }],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ms5-tls-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, String(content));
  chmodSync(path, 0o600);
  return path;
};

describe.skipIf(!has("openssl"))("openssl", () => {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

  it.each(keys)("verifies a certificate of a %s authority for its purpose only", async (name, algorithm) => {
    const caKey = await makeKey(algorithm);
    const ca = await make("tls:index/selfSignedCert:SelfSignedCert", {
      privateKeyPem: caKey.privateKeyPem ?? "",
      subject: { commonName: "CA", organizationalUnit: "Halle 3", province: "Thüringen" },
      allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
      isCaCertificate: true,
      setAuthorityKeyId: true,
      validityPeriodHours: 24,
    });
    const key = await makeKey(algorithm);
    const request = await make("tls:index/certRequest:CertRequest", {
      privateKeyPem: key.privateKeyPemPkcs8 ?? "",
      dnsNames: ["db.factory.svc"],
    });
    const certificate = await make("tls:index/locallySignedCert:LocallySignedCert", {
      caCertPem: ca.certPem ?? "",
      caPrivateKeyPem: caKey.privateKeyPem ?? "",
      certRequestPem: request.certRequestPem ?? "",
      allowedUses: ["key_encipherment", "digital_signature", "server_auth"],
      validityPeriodHours: 1,
    });
    const [caFile, certFile, requestFile] = [
      file(`${name}.ca`, ca.certPem),
      file(`${name}.cert`, certificate.certPem),
      file(`${name}.csr`, request.certRequestPem),
    ];
    const verify = (...more: string[]) =>
      openssl("verify", "-x509_strict", "-CAfile", caFile, ...more, certFile);
    expect(verify("-purpose", "sslserver", "-verify_hostname", "db.factory.svc")).toContain(": OK");
    expect(() => verify("-purpose", "sslclient")).toThrow("unsuitable certificate purpose");
    expect(() => verify("-verify_hostname", "other")).toThrow("hostname mismatch");
    expect(openssl("req", "-in", requestFile, "-verify", "-noout", "-text")).toContain("DNS:db.factory.svc");
    const text = openssl("x509", "-in", certFile, "-noout", "-text");
    expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature, Key Encipherment\n/);
    expect(text).toMatch(/Basic Constraints: critical\n\s+CA:FALSE\n/);
    // There is no subject, so the names carry the certificate.
    expect(text).toMatch(/Subject Alternative Name: critical\n/);
    expect(openssl("x509", "-in", caFile, "-noout", "-text")).toMatch(
      /Key Usage: critical\n\s+Digital Signature, Certificate Sign, CRL Sign\n/,
    );
  });
});

describe.skipIf(!has("ssh-keygen"))("ssh-keygen", () => {
  it.each(keys.filter(([name]) => name !== "P224"))("reads a %s key", async (name, algorithm) => {
    const key = await makeKey(algorithm);
    const path = file(`${name}.ssh`, key.privateKeyOpenssh);
    const keygen = (...args: string[]) => execFileSync("ssh-keygen", args, { encoding: "utf8" });
    expect(keygen("-y", "-P", "", "-f", path)).toBe(key.publicKeyOpenssh);
    expect(keygen("-l", "-f", path)).toContain(` ${key.publicKeyFingerprintSha256} `);
    expect(keygen("-l", "-E", "md5", "-f", path)).toContain(` MD5:${key.publicKeyFingerprintMd5} `);
  });

  it("has no format for a key on P-224", async () => {
    const key = await makeKey({ algorithm: "ECDSA" });
    expect([key.privateKeyOpenssh, key.publicKeyOpenssh, key.publicKeyFingerprintMd5]).toEqual(["", "", ""]);
  });
});
