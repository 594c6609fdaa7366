import { describe, expect, it } from "vitest";
import { UserError } from "../../../infra/errors";
import { isLoopback, isSafeUrl, readSettings } from "../../../ops/monitoring/service/settings";

const env = {
  MS5_MONITORING_LISTEN: "[::]:9000",
  MS5_MONITORING_DATABASE: "postgres://ms5_monitor@pooler.ms5:6432/factory",
  MS5_MONITORING_PASSWORD_FILE: "/secrets/monitor",
  MS5_MONITORING_TELEMETRY: "postgres://ms5_reader@127.0.0.1/factory?sslmode=disable",
  MS5_MONITORING_TELEMETRY_PASSWORD_FILE: "/secrets/reader",
  MS5_MONITORING_CA_FILE: "/ca/ca.pem",
  MS5_MONITORING_ISSUER: "https://login.example/tenant",
  MS5_MONITORING_AUDIENCE: "ms5-monitoring",
};

function problems(changes: Record<string, string | undefined>): string {
  try {
    readSettings({ ...env, ...changes });
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "";
}

describe("settings", () => {
  it("are read from the environment", () => {
    expect(readSettings(env)).toMatchObject({
      listen: { host: "::", port: 9000 },
      local: false,
      monitor: {
        host: "pooler.ms5",
        port: 6432,
        database: "factory",
        user: "ms5_monitor",
        passwordFile: "/secrets/monitor",
        tls: "verify-full",
        caFile: "/ca/ca.pem",
        singleSession: false,
      },
      telemetry: { host: "127.0.0.1", port: 5432, user: "ms5_reader", tls: "disable" },
      tokens: {
        issuer: "https://login.example/tenant",
        audience: "ms5-monitoring",
        keys: { from: "discovery" },
        rolesClaim: "roles",
      },
      pageFolder: undefined,
      volumeBytes: undefined,
    });
    expect(readSettings({ ...env, MS5_MONITORING_LISTEN: undefined }).listen).toEqual({
      host: "0.0.0.0",
      port: 8080,
    });
    expect(
      readSettings({ ...env, MS5_MONITORING_JWKS_FILE: "/keys.json", MS5_MONITORING_ISSUER: "local" }).tokens
        ?.keys,
    ).toEqual({ from: "file", file: "/keys.json" });
    expect(readSettings({ ...env, MS5_MONITORING_JWKS_URL: "https://a/keys" }).tokens?.keys).toEqual({
      from: "url",
      url: "https://a/keys",
    });
  });

  it("are told all that is wrong at once, by name", () => {
    const nothing = Object.fromEntries(Object.keys(env).map((name) => [name, ""]));
    expect(problems({ ...nothing, MS5_MONITORING_JWKS_FILE: "/k" }).match(/MS5_MONITORING_\w+/g)).toEqual([
      "MS5_MONITORING_PASSWORD_FILE",
      "MS5_MONITORING_DATABASE",
      "MS5_MONITORING_TELEMETRY_PASSWORD_FILE",
      "MS5_MONITORING_TELEMETRY",
      "MS5_MONITORING_ISSUER",
      "MS5_MONITORING_AUDIENCE",
    ]);
  });

  it("without a word about tokens mean that none is accepted", () => {
    const { MS5_MONITORING_ISSUER: _, MS5_MONITORING_AUDIENCE: __, ...rest } = env;
    expect(readSettings(rest).tokens).toBeUndefined();
    expect(problems({ MS5_MONITORING_AUDIENCE: undefined })).toContain("MS5_MONITORING_AUDIENCE is not set");
    expect(problems({ MS5_MONITORING_ISSUER: undefined })).toContain("MS5_MONITORING_ISSUER is not set");
  });

  it("name a certificate and its key, or neither", () => {
    const tls = {
      MS5_MONITORING_TLS_CERTIFICATE_FILE: "/tls/tls.crt",
      MS5_MONITORING_TLS_KEY_FILE: "/tls/tls.key",
    };
    expect(readSettings(env).tls).toBeUndefined();
    expect(readSettings({ ...env, ...tls }).tls).toEqual({
      certificateFile: "/tls/tls.crt",
      keyFile: "/tls/tls.key",
    });
    for (const name of Object.keys(tls)) {
      expect(problems({ ...tls, [name]: undefined })).toContain("belong together: one is not set");
    }
  });

  it.each([
    ["LISTEN", "8080", "HOST:PORT"],
    ["LISTEN", "0.0.0.0:99999", "HOST:PORT"],
    ["DATABASE", "not a url", "is not a URL"],
    ["DATABASE", "https://a/b", "must look like"],
    ["DATABASE", "postgres://host/db", "lacks host, database or role"],
    ["DATABASE", "postgres://u@host/db?sslmode=require", "verify-full or disable"],
    ["DATABASE", "postgres://u@host/db?sslmode=disable", "loopback only"],
    ["DATABASE", "postgres://u@host/db?options=-c", "not known here: options"],
    ["TELEMETRY", "postgres://u:hunter2@host/db", "holds a password"],
    ["JWKS_URL", "http://login.example/keys", "https://"],
    ["ISSUER", "local", "https://"],
  ])("refuse %s=%s", (name, value, why) => {
    const said = problems({ [`MS5_MONITORING_${name}`]: value });
    expect(said).toContain(`MS5_MONITORING_${name}`);
    expect(said).toContain(why);
    expect(said).not.toContain("hunter2");
  });

  it("refuse two places for keys", () => {
    expect(problems({ MS5_MONITORING_JWKS_URL: "https://a/k", MS5_MONITORING_JWKS_FILE: "/k" })).toContain(
      "both set",
    );
  });
});

it("loopback is this machine alone", () => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
    expect(isLoopback(host)).toBe(true);
  for (const host of ["", "0.0.0.0", "::", "128.0.0.1", "127.0.0.1.evil.test", "localhost.evil.test"]) {
    expect(isLoopback(host)).toBe(false);
  }
  expect(isSafeUrl("http://127.0.0.1:1/keys")).toBe(true);
  expect(isSafeUrl("http://127.0.0.1.evil.test/keys")).toBe(false);
  expect(isSafeUrl("https://u:p@a/keys")).toBe(false);
});
