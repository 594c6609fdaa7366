import { UserError } from "../../../infra/errors";

/** Where a database answers, and as whom we log in. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

export interface ExporterSettings {
  /** Where scrapes are answered. Port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The primary, not through a pooler: what it says of sessions must be of the server's own. */
  readonly database: DatabaseAddress;
  /** The pooler's databases that are probed as a client would; undefined: that path is not probed. */
  readonly probes: Readonly<Record<ProbePath, DatabaseAddress | undefined>>;
  /** undefined: the server asks for no password. */
  readonly passwordFile: string | undefined;
  /** PEM file with the CA of the server's and the pooler's certificates; undefined: no TLS, for loopback only. */
  readonly caFile: string | undefined;
  /** The embedded database serves one connection at a time: connect, ask and leave. */
  readonly singleSession: boolean;
}

export type ProbePath = "read" | "write";

const listenVariable = "MS5_EXPORTER_LISTEN";
const databaseVariable = "MS5_EXPORTER_DATABASE";

/**
 * Settings of the exporter as a program of its own:
 * - `MS5_EXPORTER_LISTEN`: address and port for scrapes, e.g. `0.0.0.0:9188` or `[::]:9188`
 * - `MS5_EXPORTER_DATABASE`: the primary, e.g. `postgres://ms5_monitor@ms5-primary:5432/ms5`
 * - `MS5_EXPORTER_PROBE_WRITE`, `MS5_EXPORTER_PROBE_READ`: the pooler's databases; without one its path is not probed
 * - `MS5_EXPORTER_PASSWORD_FILE`: file with the password, read again for each connection
 * - `MS5_EXPORTER_CA_FILE`: PEM file; then TLS is required and the server's name is checked
 *
 * @throws UserError that names the variable, never with a password
 */
export function exporterSettings(
  environment: Readonly<Record<string, string | undefined>>,
): ExporterSettings {
  const optional = (name: string): string | undefined => environment[name] || undefined;
  const address = (name: string): DatabaseAddress | undefined => {
    const text = optional(name);
    return text === undefined ? undefined : databaseAddress(name, text);
  };
  const database = address(databaseVariable);
  if (database === undefined) throw missing(databaseVariable, "postgres://ms5_monitor@ms5-primary:5432/ms5");
  const listen = optional(listenVariable);
  if (listen === undefined) throw missing(listenVariable, "0.0.0.0:9188");
  return {
    listen: listenAddress(listen),
    database,
    probes: { write: address("MS5_EXPORTER_PROBE_WRITE"), read: address("MS5_EXPORTER_PROBE_READ") },
    passwordFile: optional("MS5_EXPORTER_PASSWORD_FILE"),
    caFile: optional("MS5_EXPORTER_CA_FILE"),
    singleSession: false,
  };
}

function missing(variable: string, example: string): UserError {
  return new UserError(`${variable} is not set`, { fix: `set it, e.g. ${variable}=${example}` });
}

function listenAddress(text: string): ExporterSettings["listen"] {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port <= 65_535)) {
    throw new UserError(`${listenVariable} is "${text}", which is not an address and a port`, {
      fix: `write it as address:port, e.g. ${listenVariable}=0.0.0.0:9188`,
    });
  }
  return { host, port };
}

/** The text itself is in no message: it may hold a password. */
function databaseAddress(variable: string, text: string): DatabaseAddress {
  const refuse = (what: string, fix: string): UserError => new UserError(`${variable} ${what}`, { fix });
  const form = `write it as postgres://user@host:port/database`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["postgres:", "postgresql:"].includes(url.protocol)) {
    throw refuse("is not a postgres URL", form);
  }
  if (url.password !== "") {
    throw refuse(
      "holds a password",
      "take it out, and name a file that holds it in MS5_EXPORTER_PASSWORD_FILE",
    );
  }
  if (url.search !== "" || url.hash !== "") {
    throw refuse("has parameters", `${form}; MS5_EXPORTER_CA_FILE decides about TLS`);
  }
  const database = decoded(url.pathname.slice(1));
  const user = decoded(url.username);
  if (!url.hostname || !user || !database) throw refuse("lacks a user, a host or a database", form);
  return {
    // Node's sockets want an IPv6 address without its brackets.
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 5432 : Number(url.port),
    database,
    user,
  };
}

/** undefined where a percent sign is not followed by what it announces. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
