// The policy pack on the real engine, as `preview` and `up` run it: what is refused, what an exception lets through, what is
// told of secrets and of what is not known yet. Kubernetes objects are previewed against a cluster that is not there.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import * as random from "@pulumi/random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodeOf } from "../../ops/engine/deploy";
import type { Diagnostic } from "../../ops/engine/events";
import { runStack, type StackResult } from "../../ops/engine/stack";
import { projectRoot } from "../../ops/paths";
import { nowhere } from "../support/nowhere";
import { Sandbox } from "./support/sandbox";

const ourPack = join(projectRoot, "infra", "policy");

let box: Sandbox;
beforeAll(() => {
  box = new Sandbox();
});
afterAll(() => box.remove());

/** The pooler's Service, of a type that opens it to the outside or is not known before an `up`. */
function service(name: string, type: pulumi.Input<string>, provider: kubernetes.Provider): void {
  const metadata = { name, namespace: "ms5-pooler" };
  new kubernetes.core.v1.Service(name, { metadata, spec: { type, ports: [{ port: 6432 }] } }, { provider });
}

const openPooler: PulumiFn = async () => {
  service("pooler", "LoadBalancer", new kubernetes.Provider("nowhere", { kubeconfig: nowhere }));
};

function preview(program: PulumiFn, pack: string): Promise<StackResult> {
  const providers = ["kubernetes", "random"];
  const { log, place } = box;
  return runStack("preview", "test", { log, place, providers, program, policyPacks: [pack] });
}

/** Without what the stand-in says of the cluster that is not there. */
function said({ diagnostics }: StackResult): Diagnostic[] {
  return diagnostics.filter(({ message }) => !message.includes("cannot be reached"));
}

const refusal: Diagnostic = {
  severity: "error",
  resource: "pooler",
  policy: "no-database-load-balancer",
  message:
    'spec.type is "LoadBalancer": it would open the database to what is outside of the cluster; make it a ClusterIP, and let clients be pods (docs/network.md) (policy no-database-load-balancer)',
};

/** Our pack with other exceptions. */
function packWith(exceptions: string): string {
  const checkout = mkdtempSync(join(box.folder, "pack-"));
  const pack = join(checkout, "infra", "policy");
  cpSync(ourPack, pack, { recursive: true });
  for (const beside of ["azure", "kubernetes"]) {
    symlinkSync(join(projectRoot, "infra", beside), join(checkout, "infra", beside));
  }
  symlinkSync(join(projectRoot, "node_modules"), join(checkout, "node_modules"));
  writeFileSync(join(pack, "exceptions.yaml"), exceptions);
  return pack;
}

function exception(expires: string): string {
  return `
- policy: no-database-load-balancer
  resource: kubernetes:core/v1:Service::pool*
  reason: of a test
  expires: ${expires}
`;
}

/** YYYY-MM-DD */
function daysFromNow(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

describe("the policy pack", () => {
  it("refuses a preview of what breaks a policy, with the resource, the policy and what to do", async () => {
    const result = await preview(openPooler, ourPack);
    expect(said(result)).toEqual([refusal]);
    expect(result.result).toBe("failed");
    expect(exitCodeOf(result)).toBe(1);
  });

  it("lets through what an exception excuses, and says so", async () => {
    const until = daysFromNow(30);
    const result = await preview(openPooler, packWith(exception(until)));
    expect(said(result)).toEqual([
      {
        severity: "info",
        message: `policy no-database-load-balancer does not hold for pooler until ${until}: of a test`,
      },
    ]);
    expect(result.result).toBe("succeeded");
  });

  it("refuses it again when the exception has expired, and names the exception too", async () => {
    const result = await preview(openPooler, packWith(exception(daysFromNow(-1))));
    expect(said(result)).toHaveLength(2);
    expect(said(result)).toContainEqual(refusal);
    expect(said(result)).toContainEqual({
      severity: "error",
      resource: "ms5-timescale-test",
      policy: "exceptions",
      message: expect.stringMatching(
        /^exceptions\.yaml, entry 1 \(no-database-load-balancer for .*\) expired on /,
      ),
    });
    expect(result.result).toBe("failed");
  });

  it("tells secrets from plain text, and warns of what only an up will know", async () => {
    const result = await preview(async () => {
      const provider = new kubernetes.Provider("nowhere", { kubeconfig: nowhere });
      const password = new random.RandomPassword("password", { length: 20 }).result;
      const metadata = { name: "credentials", namespace: "ms5-pooler" };
      new kubernetes.core.v1.Secret("credentials", { metadata, stringData: { password } }, { provider });
      service("later", new random.RandomString("type", { length: 9 }).result, provider);
      return { password, token: pulumi.secret("s3cret"), plain: { adminPassword: "hunter2" } };
    }, ourPack);
    const found = said(result).map(({ severity, resource, policy }) => `${severity} ${resource} ${policy}`);
    expect(found.sort()).toEqual([
      "error ms5-timescale-test no-plain-secrets-in-outputs",
      "warning later no-database-load-balancer",
    ]);
    const messages = said(result).map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringMatching(/^plain\.adminPassword is a secret by its name/));
    expect(messages.join()).not.toContain("hunter2");
  });

  it("stops an up before it makes what breaks a policy", async () => {
    const specs = { good: { value: "g" }, bad: { value: { password: "hunter2" }, after: "good" } };
    const result = await box.run("up", specs, { policyPacks: [ourPack] });
    expect(result.result).toBe("failed");
    expect(result.diagnostics).toContainEqual(
      expect.objectContaining({ severity: "error", resource: "bad", policy: "no-plain-secrets" }),
    );
    expect(box.contents()).toEqual({ good: "g" });
  });

  it("starts as Pulumi's Node language host starts a pack, for a plain `pulumi preview --policy-pack`", async () => {
    const runPack = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
    const child = spawn(process.execPath, [runPack, "127.0.0.1:1", ourPack], { cwd: ourPack });
    const line = new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
    // Or what it died of.
    const end = new Promise((resolve) => child.stderr.setEncoding("utf8").once("data", resolve));
    const first = await Promise.race([line, end]);
    child.kill("SIGKILL");
    expect(first).toMatch(/^\d+$/);
  });
});
