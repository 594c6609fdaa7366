import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StandInStack, startStandIns } from "../engine/support/standInStack";

describe("the random and tls stand-ins on the real engine", () => {
  let stack: StandInStack;

  beforeAll(async () => {
    stack = await StandInStack.start(["random", "tls"]);
  });
  afterAll(() => stack?.stop());

  const program =
    ({ keeper = "1", hours = 100, renewal = 1 } = {}) =>
    async () => {
      const password = new random.RandomPassword("password", { length: 24, keepers: { version: keeper } });
      const id = new random.RandomId("id", { byteLength: 4, prefix: "db-" });
      const caKey = new tls.PrivateKey("ca", { algorithm: "ECDSA", ecdsaCurve: "P256" });
      const ca = new tls.SelfSignedCert("ca", {
        privateKeyPem: caKey.privateKeyPem,
        subject: { commonName: "Factory CA", organization: "Factory" },
        allowedUses: ["cert_signing"],
        isCaCertificate: true,
        validityPeriodHours: 1000,
      });
      const key = new tls.PrivateKey("server", { algorithm: "ED25519" });
      const request = new tls.CertRequest("server", {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: "db" },
        dnsNames: ["db.factory.svc"],
      });
      const certificate = new tls.LocallySignedCert("server", {
        caCertPem: ca.certPem,
        caPrivateKeyPem: caKey.privateKeyPem,
        certRequestPem: request.certRequestPem,
        allowedUses: ["server_auth"],
        validityPeriodHours: hours,
        earlyRenewalHours: renewal,
      });
      return {
        password: password.result,
        hash: password.bcryptHash,
        id: id.hex,
        caCert: ca.certPem,
        key: key.privateKeyPem,
        cert: certificate.certPem,
      };
    };

  it("creates, keeps, replaces, updates and destroys", async () => {
    const { changes, outputs: first } = await stack.run("up", program());
    expect(changes).toMatchObject({ create: 8 });
    expect(String(first.password)).toHaveLength(24);
    expect(first.id).toMatch(/^db-[0-9a-f]{8}$/);

    const state = stack.state();
    // As they would stand in JSON, line ends escaped. Secrets don't belong in a failed test's output either.
    const texts = ["password", "hash", "key"].map((name) => JSON.stringify(first[name]).slice(1, -1));
    expect(texts.filter((secret) => state.includes(secret)).length).toBe(0);
    expect(state.includes("PRIVATE KEY")).toBe(false);
    expect(state.includes("BEGIN CERTIFICATE")).toBe(true);

    expect((await stack.run("refresh", program())).summary).toEqual([]);
    const again = await stack.run("up", program());
    expect(again.summary).toEqual([]);
    expect(again.outputs).toEqual(first);

    const preview = await stack.run("preview", program({ keeper: "2" }));
    expect(preview.summary).toContain("replace password: keepers");
    expect(preview.changes).toMatchObject({ replace: 1, same: 7 });

    // 100 hours left are less than 200: the certificate is made anew, and what needn't be is kept.
    const renewed = await stack.run("up", program({ renewal: 200 }));
    expect(renewed.summary).toContain("replace server: earlyRenewalHours,readyForRenewal");
    expect(renewed.outputs.cert).not.toBe(first.cert);
    expect({ ...renewed.outputs, cert: first.cert }).toEqual(first);

    const updated = await stack.run("up", program({ renewal: 2 }));
    expect(updated.summary).toEqual(["update server: earlyRenewalHours"]);
    expect(updated.outputs).toEqual(renewed.outputs);

    expect((await stack.run("destroy")).changes).toMatchObject({ delete: 8 });
  });

  it("refuses inputs that cannot work and kinds it has not got, saying why", async () => {
    await expect(
      stack.run("preview", async () => {
        new random.RandomPassword("short", { length: 3, minLower: 4 });
      }),
    ).rejects.toThrow(/less than the sum of minLower, minUpper, minNumeric, minSpecial, which is 4/);
    await expect(
      stack.run("preview", async () => {
        new random.RandomPet("pet");
      }),
    ).rejects.toThrow(
      /the random stand-in has no random:index\/randomPet:RandomPet; it has .*RandomUuid\s+fix: install the official plugin/s,
    );
  });
});

describe("the stand-in process", () => {
  it.each([
    ["its stdin closes", (child: { stdin: { end(): void } | null }) => child.stdin?.end()],
    ["SIGTERM comes", (child: { kill(signal: "SIGTERM"): void }) => child.kill("SIGTERM")],
  ])("ends when %s", async (_, end) => {
    const standIn = await startStandIns(["random"]);
    end(standIn.process);
    expect(await standIn.exited).toBe(0);
  });

  it("refuses a name it doesn't know", async () => {
    await expect(startStandIns(["random", "aws-native"])).rejects.toThrow("did not start");
  });
});
