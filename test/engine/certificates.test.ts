// The database's certificates on the real engine, with the tls stand-in: what is made, and what a renewal touches.
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Certificates } from "../../infra/database/certificates";
import { serverDnsNames } from "../../infra/database/clusterAddress";
import { StandInStack } from "./support/standInStack";

const day = 86_400_000;
const blue = { name: "blue", namespace: "ms5-database", members: 3 };

const program =
  ({ keyVersion = 1, dnsNames = serverDnsNames(blue) } = {}) =>
  async () => {
    const certificates = new Certificates("certificates", { keyVersion });
    return {
      ca: certificates.caPem,
      server: certificates.server("blue", { dnsNames }),
      client: certificates.client("lookup", { commonName: "pooler" }),
    };
  };

interface Made {
  ca: string;
  server: { certificatePem: string; keyPem: string };
  client: { certificatePem: string; keyPem: string };
}

const authorities = (pem: string) =>
  (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map((one) => new X509Certificate(one));

const trusts = (ca: string, certificatePem: string) => {
  const certificate = new X509Certificate(certificatePem);
  return authorities(ca).some(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
};

let stack: StandInStack;
let first: Made;

const up = async (change?: Parameters<typeof program>[0]) => {
  const { summary, outputs } = await stack.run("up", program(change));
  return { summary, made: outputs as unknown as Made };
};

beforeAll(async () => {
  stack = await StandInStack.start(["tls"]);
  first = (await up()).made;
});
afterAll(() => stack.stop());

describe("certificates", () => {
  it("are for their names and roles, 90 days, by an authority of ten years", () => {
    const server = new X509Certificate(first.server.certificatePem);
    const client = new X509Certificate(first.client.certificatePem);
    for (const name of [
      "blue-primary.ms5-database.svc",
      "blue-2.blue-members.ms5-database.svc.cluster.local",
    ]) {
      expect(server.checkHost(name)).toBeDefined();
    }
    expect(server.checkHost("pooler.ms5-pooler.svc")).toBeUndefined();
    expect(client.subject).toBe("CN=pooler");
    // Client authentication, and not server authentication.
    expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    const life = (certificate: X509Certificate) =>
      (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / day;
    expect([server, client].map(life)).toEqual([90, 90]);
    expect(authorities(first.ca).map(life)).toEqual([3650, 3650]);
    expect(
      [first.server, first.client].map(({ certificatePem }) => trusts(first.ca, certificatePem)),
    ).toEqual([true, true]);
  });

  it("have keys that the state holds encrypted only", () => {
    expect(stack.state()).not.toContain("PRIVATE KEY");
    expect(first.server.keyPem).toContain("BEGIN PRIVATE KEY");
  });

  it("stay when nothing changes", async () => {
    expect((await up()).summary).toEqual([]);
  });

  it("are made anew for other names, without touching the authority or other certificates", async () => {
    const { summary, made } = await up({ dnsNames: ["elsewhere"] });
    expect([...new Set(summary.map((line) => line.replace(/:.*/, "")))]).toEqual([
      "create-replacement blue",
      "delete-replaced blue",
      "replace blue",
    ]);
    expect(made.ca).toBe(first.ca);
    expect(made.client).toEqual(first.client);
    expect(made.server.keyPem).toBe(first.server.keyPem);
    expect(trusts(made.ca, made.server.certificatePem)).toBe(true);
    await up();
  });

  it("are renewed by the first up of their last 30 days, which its preview shows", async () => {
    await age("blue", 31);
    expect((await stack.run("preview", program())).summary).toEqual([]);
    await age("blue", 29);
    const preview = await stack.run("preview", program());
    expect(preview.summary).toContain("replace blue: readyForRenewal");
    const { made } = await up();
    expect(made.ca).toBe(first.ca);
    expect(made.client).toEqual(first.client);
    expect(made.server.keyPem).toBe(first.server.keyPem);
    const left = new X509Certificate(made.server.certificatePem).validToDate.getTime() - Date.now();
    expect(left / day).toBeGreaterThan(89);
    expect((await up()).summary).toEqual([]);
  });

  it("outlive an authority that is renewed with the key it has", async () => {
    await age("ca-1", 364);
    const { made } = await up();
    expect(made.ca).not.toBe(first.ca);
    // Whoever has not got the new files yet trusts those who have, and the other way round.
    expect(trusts(made.ca, first.client.certificatePem)).toBe(true);
    expect(trusts(first.ca, made.client.certificatePem)).toBe(true);
  });

  it("get new keys with the key version, one version after the other without a gap in trust", async () => {
    const before = (await up()).made;
    const { made } = await up({ keyVersion: 2 });
    expect(made.server.keyPem).not.toBe(before.server.keyPem);
    expect(made.client.keyPem).not.toBe(before.client.keyPem);
    expect(authorities(made.ca).map(({ subject }) => subject)).toEqual([
      "CN=ms5 database CA 2",
      "CN=ms5 database CA 3",
      "CN=ms5 database CA 1",
    ]);
    expect(trusts(before.ca, made.server.certificatePem)).toBe(true);
    expect(trusts(made.ca, before.server.certificatePem)).toBe(true);
    const later = (await up({ keyVersion: 3 })).made;
    expect(trusts(made.ca, later.server.certificatePem)).toBe(true);
    // The first authority is nobody's any more.
    expect(trusts(later.ca, before.server.certificatePem)).toBe(false);
  });
});

const has = (name: string) => spawnSync(name, ["version"]).error === undefined;

describe.skipIf(!has("openssl"))("openssl", () => {
  const folder = mkdtempSync(join(tmpdir(), "ms5-certificates-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o600);
    return join(folder, name);
  };

  it("finds nothing wrong with them, strictly", async () => {
    const { made } = await up({ keyVersion: 3 });
    const ca = file("ca.pem", made.ca);
    const verify = (certificate: string, ...more: string[]) =>
      execFileSync("openssl", ["verify", "-x509_strict", "-CAfile", ca, ...more, certificate], {
        encoding: "utf8",
        stdio: "pipe",
      });
    const server = file("server.pem", made.server.certificatePem);
    const client = file("client.pem", made.client.certificatePem);
    const host = ["-verify_hostname", "blue-0.blue-members.ms5-database.svc.cluster.local"];
    expect(verify(server, "-purpose", "sslserver", ...host)).toContain(": OK");
    expect(verify(server, "-purpose", "sslclient")).toContain(": OK");
    expect(verify(client, "-purpose", "sslclient")).toContain(": OK");
    expect(() => verify(client, "-purpose", "sslserver")).toThrow("unsuitable certificate purpose");
  });
});

/** As if time had passed: so many days are left of what the state has under this name. */
async function age(name: string, daysLeft: number): Promise<void> {
  const exported = await stack.stack.exportStack();
  for (const { urn, outputs } of exported.deployment.resources) {
    if (!urn.endsWith(`Cert::${name}`) || outputs.validityEndTime === undefined) continue;
    outputs.validityEndTime = new Date(Date.now() + daysLeft * day).toISOString();
  }
  await stack.stack.importStack(exported);
}
