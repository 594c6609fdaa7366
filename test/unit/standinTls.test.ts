import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { checkInputs, difference, type Kind } from "../../ops/standins/kind";
import { tls } from "../../ops/standins/tls";
import type { Bag } from "../../ops/standins/values";

const kinds = tls.configure({});
const kindOf = (name: string): Kind => {
  const kind = kinds[`tls:index/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`];
  if (kind === undefined) throw new Error(`no ${name}`);
  return kind;
};
const checked = (name: string, given: Bag) =>
  checkInputs(kindOf(name), {}, given, { resourceName: "r", seed: new Uint8Array() });
const make = async (name: string, given: Bag) => {
  const { inputs, failures } = checked(name, given);
  expect(failures).toEqual([]);
  return kindOf(name).create(inputs, "urn");
};
const hour = 3_600_000;

const keys: [string, Bag][] = [
  ["RSA", { algorithm: "RSA" }],
  ["P224, the default curve", { algorithm: "ECDSA" }],
  ["P256", { algorithm: "ECDSA", ecdsaCurve: "P256" }],
  ["P384", { algorithm: "ECDSA", ecdsaCurve: "P384" }],
  ["P521", { algorithm: "ECDSA", ecdsaCurve: "P521" }],
  ["ED25519", { algorithm: "ED25519" }],
];

describe.each(keys)("with %s", (_, algorithm) => {
  let key: Bag;
  let ca: Bag;
  const subject = {
    commonName: "Factory CA",
    organization: "Müller & Söhne",
    country: "DE",
    streetAddresses: ["Hof 1"],
    emailAddress: "ca@factory.example",
  };

  beforeAll(async () => {
    key = (await make("PrivateKey", algorithm)).state;
    ca = (
      await make("SelfSignedCert", {
        privateKeyPem: key.privateKeyPem ?? "",
        subject,
        allowedUses: ["cert_signing", "crl_signing"],
        isCaCertificate: true,
        maxPathLength: 0,
        validityPeriodHours: 48,
      })
    ).state;
  });

  it("a key reads the same in every encoding", () => {
    const publicPem = createPublicKey(String(key.privateKeyPem)).export({ type: "spki", format: "pem" });
    expect(key.publicKeyPem).toBe(publicPem);
    expect(createPublicKey(String(key.privateKeyPemPkcs8)).export({ type: "spki", format: "pem" })).toBe(
      publicPem,
    );
    const label = { RSA: "RSA PRIVATE KEY", ECDSA: "EC PRIVATE KEY", ED25519: "PRIVATE KEY" };
    expect(key.privateKeyPem).toContain(
      `-----BEGIN ${label[String(algorithm.algorithm) as keyof typeof label]}-----`,
    );
  });

  it("a self-signed authority is one, and a certificate it signs is valid for what it is asked", async () => {
    const authority = new X509Certificate(String(ca.certPem));
    expect(authority.ca).toBe(true);
    expect(authority.verify(createPublicKey(String(key.publicKeyPem)))).toBe(true);
    expect(authority.checkIssued(authority)).toBe(true);
    expect(authority.subject.split("\n").slice(0, 4)).toEqual([
      "C=DE",
      "O=Müller & Söhne",
      "street=Hof 1",
      "CN=Factory CA",
    ]);
    expect(ca).toMatchObject({ keyAlgorithm: algorithm.algorithm, readyForRenewal: false });

    const request = await make("CertRequest", {
      privateKeyPem: key.privateKeyPem ?? "",
      subject: { commonName: "db" },
      dnsNames: ["db.factory.svc", "*.db.factory.svc"],
      ipAddresses: ["10.0.0.7", "fd00::7"],
      uris: ["spiffe://factory/db"],
    });
    const before = Date.now();
    const signed = await make("LocallySignedCert", {
      caCertPem: ca.certPem ?? "",
      caPrivateKeyPem: key.privateKeyPem ?? "",
      certRequestPem: request.state.certRequestPem ?? "",
      allowedUses: ["digital_signature", "server_auth", "client_auth"],
      validityPeriodHours: 24,
      setSubjectKeyId: true,
    });
    const certificate = new X509Certificate(String(signed.state.certPem));
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(String(key.privateKeyPem)))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.subjectAltName).toBe(
      "DNS:db.factory.svc, DNS:*.db.factory.svc, IP Address:10.0.0.7, IP Address:FD00:0:0:0:0:0:0:7, URI:spiffe://factory/db",
    );
    expect(certificate.checkHost("a.db.factory.svc")).toBe("*.db.factory.svc");
    // Node means the extended key usage.
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(BigInt(`0x${certificate.serialNumber}`).toString()).toBe(signed.id);
    const [start, end] = [signed.state.validityStartTime, signed.state.validityEndTime].map((time) =>
      Date.parse(String(time)),
    );
    expect(Number(end) - Number(start)).toBe(24 * hour);
    expect(Math.abs(Number(start) - before)).toBeLessThan(5000);
    expect(Date.parse(certificate.validTo)).toBe(end);
  });
});

describe("certificates", () => {
  const options = { allowedUses: ["server_auth"], validityPeriodHours: 10 };
  let key: Bag;
  let certificate: Bag;

  beforeAll(async () => {
    key = (await make("PrivateKey", { algorithm: "ECDSA", ecdsaCurve: "P256" })).state;
    certificate = (await make("SelfSignedCert", { ...options, privateKeyPem: key.privateKeyPem ?? "" }))
      .state;
  });

  it("are renewed early, when the time has come, and not before", async () => {
    const replaced = (earlyRenewalHours: number) => {
      const { inputs } = checked("SelfSignedCert", {
        ...options,
        earlyRenewalHours,
        privateKeyPem: key.privateKeyPem ?? "",
      });
      const { differences } = difference(kindOf("SelfSignedCert"), certificate, inputs, []);
      return differences.filter(({ replaces }) => replaces).map(({ property }) => property);
    };
    expect(replaced(9)).toEqual([]);
    expect(replaced(10)).toEqual(["readyForRenewal"]);
    vi.useFakeTimers({ now: Date.now() + 8 * hour, toFake: ["Date"] });
    try {
      expect(replaced(1)).toEqual([]);
      expect(replaced(3)).toEqual(["readyForRenewal"]);
      const read = await kindOf("SelfSignedCert").read("id", { ...certificate, earlyRenewalHours: 3 });
      expect(read?.state.readyForRenewal).toBe(true);
    } finally {
      vi.useRealTimers();
    }
    expect((await kindOf("SelfSignedCert").read("id", certificate))?.state).toEqual(certificate);
  });

  it("may get their key without keeping it", async () => {
    const given = { ...options, privateKeyPemWo: key.privateKeyPem ?? "", privateKeyPemWoVersion: 1 };
    const { state } = await make("SelfSignedCert", given);
    expect(JSON.stringify(state).includes("PRIVATE KEY")).toBe(false);
    const changed = checked("SelfSignedCert", { ...given, privateKeyPemWoVersion: 2 }).inputs;
    expect(difference(kindOf("SelfSignedCert"), state, changed, []).differences).toEqual([
      { property: "privateKeyPemWoVersion", change: "update", replaces: true },
    ]);
  });

  it.each([
    ["SelfSignedCert", { ...options }, "exactly one of privateKeyPem and privateKeyPemWo is required"],
    [
      "SelfSignedCert",
      { ...options, privateKeyPem: "k", allowedUses: ["fly"] },
      /^"fly" is not one of any_extended, cert_signing, /,
    ],
    ["SelfSignedCert", { ...options, privateKeyPem: "k", validityPeriodHours: -1 }, /must be at least 0$/],
    ["PrivateKey", { algorithm: "DSA" }, '"DSA" is not one of RSA, ECDSA, ED25519'],
  ])("refuses %s %j", (name, given, reason) => {
    const [failure, ...others] = checked(name, given).failures;
    expect(others).toEqual([]);
    expect(failure?.reason).toEqual(typeof reason === "string" ? reason : expect.stringMatching(reason));
  });

  it("are not made of what doesn't fit, and the error shows no key", async () => {
    const good = { ...options, privateKeyPem: key.privateKeyPem ?? "" };
    await expect(make("SelfSignedCert", { ...options, privateKeyPem: "s3cret" })).rejects.toThrow(
      /^privateKeyPem is not a private key in PEM format without a passphrase$/,
    );
    await expect(make("SelfSignedCert", { ...good, isCaCertificate: true })).rejects.toThrow(
      "a certificate authority needs a subject",
    );
    await expect(make("SelfSignedCert", { ...good, setAuthorityKeyId: true })).rejects.toThrow(
      "setAuthorityKeyId needs setSubjectKeyId or isCaCertificate",
    );
    await expect(make("SelfSignedCert", { ...good, ipAddresses: ["10.0.0.256"] })).rejects.toThrow(
      'ipAddresses: "10.0.0.256" is not an IP address',
    );
    const other = (await make("PrivateKey", { algorithm: "ED25519" })).state;
    const request = await make("CertRequest", { privateKeyPem: key.privateKeyPem ?? "" });
    await expect(
      make("LocallySignedCert", {
        ...options,
        caCertPem: certificate.certPem ?? "",
        caPrivateKeyPem: other.privateKeyPem ?? "",
        certRequestPem: request.state.certRequestPem ?? "",
      }),
    ).rejects.toThrow("caPrivateKeyPem is not the key of the certificate in caCertPem");
  });
});
