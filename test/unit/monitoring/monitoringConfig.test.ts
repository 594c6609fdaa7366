import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../infra/config";

/** A stack's monitoring, with this written in its config. */
function monitoring(written: object | undefined, stack = "cluster", more: Record<string, string> = {}) {
  const raw: Record<string, string> =
    written === undefined ? {} : { "ms5-timescale:monitoring": JSON.stringify(written) };
  return loadConfig(stack, { ...raw, ...more }).monitoring;
}
const id = "11111111-1111-4111-8111-111111111111";
const refusal = (written: object, stack?: string, more?: Record<string, string>) => {
  try {
    monitoring(written, stack, more);
  } catch (error) {
    return (error as Error).message;
  }
  return "taken";
};

describe("how a stack is watched", () => {
  it("is by pods beside the database, unless the config says otherwise; a plain database has nobody", () => {
    expect(monitoring(undefined)).toMatchObject({ place: "cluster", grafana: true, outside: undefined });
    expect(monitoring({ place: "none" })).toBeUndefined();
    expect(monitoring(undefined, "local")).toBeUndefined();
  });

  it("reaches out only where somebody is to be told or asked", () => {
    expect(monitoring({ notify: { webhook: "https://hooks.example/x" } })?.outside).toEqual({
      addresses: ["0.0.0.0/0"],
      port: 443,
    });
    expect(
      monitoring({
        notify: { teams: "https://teams.example/x" },
        outside: { addresses: ["10.0.0.8/32"], port: 8443 },
      })?.outside,
    ).toEqual({ addresses: ["10.0.0.8/32"], port: 8443 });
    const api = { issuer: "https://login.example", audience: "api://ms5", keys: '{"keys":[]}' };
    expect(monitoring({ api })?.outside).toBeUndefined();
    expect(
      monitoring({ api: { ...api, keys: undefined, keysUrl: "https://login.example/keys" } })?.outside,
    ).toBeDefined();
  });

  it("takes roles from the claim of that name", () => {
    const api = { issuer: "https://login.example", audience: "api://ms5", keys: '{"keys":[]}' };
    expect(monitoring({ api })?.api).toEqual({
      issuer: "https://login.example",
      audience: "api://ms5",
      keys: { set: '{"keys":[]}' },
      rolesClaim: "roles",
    });
  });
});

describe("what is refused", () => {
  it("is a production that nobody watches", () => {
    const stated = { organisation: "acme", owner: "p@acme.example", subscription: id, tenant: id };
    const message = refusal({ place: "none" }, "prod", { "ms5-timescale:azure": JSON.stringify(stated) });
    expect(message).toContain("monitoring.place");
    expect(message).toContain("nobody would be woken");
  });

  it("is Azure's managed Prometheus without Azure", () => {
    expect(refusal({ place: "azure" })).toContain("makes nothing in Azure");
  });

  it("is a receiver of which something is missing, and what", () => {
    const message = refusal({ notify: { email: { to: "a@b.example" } } });
    for (const key of ["from", "server", "addresses"])
      expect(message).toContain(`monitoring.notify.email.${key}`);
    const half = {
      to: "a@b.example",
      from: "a@b.example",
      server: "m:25",
      addresses: ["10.0.0.1/32"],
      user: "x",
    };
    expect(refusal({ notify: { email: half } })).toContain("monitoring.notify.email.password");
  });

  it("is no mail without a server where Azure sends it", () => {
    const stated = {
      organisation: "acme",
      owner: "p@acme.example",
      subscription: id,
      tenant: id,
      kubernetes: { adminGroups: [id], authorisedRanges: ["198.51.100.0/24"] },
    };
    const notify = { email: { to: "oncall@acme.example" } };
    const azure = { "ms5-timescale:azure": JSON.stringify(stated) };
    expect(monitoring({ place: "azure", notify }, "dev", azure)?.notify.email).toEqual({
      to: "oncall@acme.example",
      by: undefined,
    });
  });

  it("is an issuer without keys, and remote write to nowhere", () => {
    expect(refusal({ api: { issuer: "i", audience: "a" } })).toContain("monitoring.api.keysUrl");
    expect(refusal({ remoteWrite: { token: "t" } })).toContain("monitoring.remoteWrite.url");
  });

  it("never shows a secret", () => {
    const message = refusal({ notify: { webhook: 5, teams: "https://teams.example/SECRET" } });
    expect(message).not.toContain("SECRET");
  });
});
