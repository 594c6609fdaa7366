import { describe, expect, it } from "vitest";
import { UserError } from "../../../infra/errors";
import { exporterSettings } from "../../../ops/monitoring/exporter/settings";

const least = {
  MS5_EXPORTER_LISTEN: "0.0.0.0:9188",
  MS5_EXPORTER_DATABASE: "postgres://ms5_monitor@ms5-primary:5432/ms5",
};

function refusal(changes: Record<string, string | undefined>): UserError {
  try {
    exporterSettings({ ...least, ...changes });
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  throw new Error("it was not refused");
}

describe("exporterSettings", () => {
  it("reads the least that is needed", () => {
    expect(exporterSettings(least)).toEqual({
      listen: { host: "0.0.0.0", port: 9188 },
      database: { host: "ms5-primary", port: 5432, database: "ms5", user: "ms5_monitor" },
      probes: { write: undefined, read: undefined },
      passwordFile: undefined,
      caFile: undefined,
      singleSession: false,
    });
  });

  it("reads everything", () => {
    const settings = exporterSettings({
      MS5_EXPORTER_LISTEN: "[::1]:0",
      MS5_EXPORTER_DATABASE: "postgresql://some%40one@[fd00::1]/a%2Fb",
      MS5_EXPORTER_PROBE_WRITE: "postgres://ms5_monitor@ms5-pooler:6432/ms5",
      MS5_EXPORTER_PROBE_READ: "postgres://ms5_monitor@ms5-pooler:6432/ms5_read",
      MS5_EXPORTER_PASSWORD_FILE: "/secrets/password",
      MS5_EXPORTER_CA_FILE: "/ca/ca.pem",
    });
    expect(settings).toEqual({
      listen: { host: "::1", port: 0 },
      database: { host: "fd00::1", port: 5432, database: "a/b", user: "some@one" },
      probes: {
        write: { host: "ms5-pooler", port: 6432, database: "ms5", user: "ms5_monitor" },
        read: { host: "ms5-pooler", port: 6432, database: "ms5_read", user: "ms5_monitor" },
      },
      passwordFile: "/secrets/password",
      caFile: "/ca/ca.pem",
      singleSession: false,
    });
  });

  it.each([
    ["MS5_EXPORTER_LISTEN", undefined, "is not set"],
    ["MS5_EXPORTER_LISTEN", "", "is not set"],
    ["MS5_EXPORTER_LISTEN", "9188", "not an address and a port"],
    ["MS5_EXPORTER_LISTEN", "0.0.0.0:65536", "not an address and a port"],
    ["MS5_EXPORTER_LISTEN", "::1:9188", "not an address and a port"],
    ["MS5_EXPORTER_DATABASE", undefined, "is not set"],
    ["MS5_EXPORTER_DATABASE", "ms5-primary:5432", "is not a postgres URL"],
    ["MS5_EXPORTER_DATABASE", "http://ms5_monitor@ms5-primary/ms5", "is not a postgres URL"],
    ["MS5_EXPORTER_DATABASE", "postgres://ms5-primary/ms5", "lacks a user"],
    ["MS5_EXPORTER_DATABASE", "postgres://ms5_monitor@ms5-primary", "lacks a user, a host or a database"],
    ["MS5_EXPORTER_DATABASE", "postgres://ms5_monitor@ms5-primary/%zz", "lacks a user, a host or a database"],
    ["MS5_EXPORTER_DATABASE", "postgres://ms5_monitor@ms5-primary/ms5?sslmode=disable", "has parameters"],
    ["MS5_EXPORTER_PROBE_READ", "ms5_read", "is not a postgres URL"],
    ["MS5_EXPORTER_PROBE_WRITE", "postgres://ms5-pooler/ms5", "lacks a user"],
  ])("refuses %s=%s: %s", (variable, value, reason) => {
    const error = refusal({ [variable]: value });
    expect(error.message).toContain(variable);
    expect(error.message).toContain(reason);
    expect(error.fix).not.toBe("");
  });

  it("repeats no password", () => {
    for (const url of ["postgres://ms5_monitor:geheim@h/ms5", "postgres://ms5_monitor:geheim@h:x/ms5"]) {
      const { message, fix } = refusal({ MS5_EXPORTER_DATABASE: url });
      expect(`${message} ${fix}`).not.toContain("geheim");
    }
    expect(refusal({ MS5_EXPORTER_DATABASE: "postgres://u:geheim@h/ms5" }).fix).toContain(
      "MS5_EXPORTER_PASSWORD_FILE",
    );
  });
});
