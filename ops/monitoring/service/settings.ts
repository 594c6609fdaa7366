// What the service is told: by its environment in the cluster, by `npm start` on one's own machine. Mistakes are found at
// the start, all of them at once.
import { ExitCode, UserError } from "../../../infra/errors";
import { version } from "../../../package.json";

/** Where one of the service's two logins goes. */
export interface DatabaseSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Read anew for each connection, so that a changed password needs no restart. undefined: none is asked for. */
  readonly passwordFile: string | undefined;
  readonly tls: "verify-full" | "disable";
  /** PEM. undefined: the certificate authorities that Node trusts. */
  readonly caFile: string | undefined;
  /** The embedded database serves one session at a time, so connections are closed after each use. */
  readonly singleSession: boolean;
}

/** Where the keys come from that sign tokens. */
export type KeySettings =
  | { readonly from: "file"; readonly file: string }
  | { readonly from: "url"; readonly url: string }
  /** What the issuer's OpenID configuration names. */
  | { readonly from: "discovery" };

export interface TokenSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: KeySettings;
  /** Claim that holds the roles: an array of texts, or one text. */
  readonly rolesClaim: string;
}

/** Requests in a minute. */
export interface Limits {
  /** Of one address, whatever it asks for. */
  readonly perAddress: number;
  /** Of one who has logged in. */
  readonly perSubject: number;
}

export const defaultLimits: Limits = { perAddress: 600, perSubject: 120 };

export interface ServiceSettings {
  readonly listen: { readonly host: string; readonly port: number };
  /**
   * For `npm start` only: whoever opens the page from this machine is admin. On loopback that gives nothing away,
   * because the embedded database itself listens there and asks nobody for a password.
   */
  readonly local: boolean;
  /** PEM files of the service's own certificate and its key, read at the start. undefined: no TLS. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** Statistics; role ms5_monitor. */
  readonly monitor: DatabaseSettings;
  /** Telemetry; role ms5_reader. */
  readonly telemetry: DatabaseSettings;
  /** undefined: no token is accepted. */
  readonly tokens: TokenSettings | undefined;
  /** Absolute path of the status page's files; undefined: no page. */
  readonly pageFolder: string | undefined;
  /** Of the database's data volume, for forecasts. undefined: not known. */
  readonly volumeBytes: number | undefined;
  readonly limits: Limits;
  readonly version: string;
}

export const serviceVersion: string = version;

const prefix = "MS5_MONITORING_";

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * Reads `MS5_MONITORING_*`:
 *
 * | variable | what |
 * |---|---|
 * | LISTEN | HOST:PORT; default 0.0.0.0:8080 |
 * | DATABASE, TELEMETRY | postgres://ROLE@HOST[:PORT]/DATABASE for statistics and for telemetry; no password in it. TLS is verified (host name too); `?sslmode=disable` only on loopback |
 * | PASSWORD_FILE, TELEMETRY_PASSWORD_FILE | their passwords, read anew for each connection |
 * | CA_FILE | PEM of the authority that signed the databases' certificates |
 * | TLS_CERTIFICATE_FILE, TLS_KEY_FILE | PEM files of its own certificate, whole chain, and key; neither: no TLS |
 * | ISSUER, AUDIENCE | what tokens must have as `iss` and `aud`; nothing about tokens at all: none is accepted |
 * | JWKS_FILE or JWKS_URL | the keys that sign tokens; neither: what ISSUER's OpenID configuration names |
 * | ROLES_CLAIM | claim with the roles `ms5.reader`, `ms5.admin`; default roles |
 * | VOLUME_BYTES | size of the database's data volume, for forecasts; optional |
 * | PAGE | folder of the status page |
 *
 * @throws UserError that names every problem
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): ServiceSettings {
  const problems: string[] = [];
  const read = (name: string): string | undefined => {
    const value = env[`${prefix}${name}`]?.trim();
    return value === "" ? undefined : value;
  };
  const need = (name: string): string => {
    const value = read(name);
    if (value === undefined) problems.push(`${prefix}${name} is not set`);
    return value ?? "";
  };
  const caFile = read("CA_FILE");
  const database = (name: string, passwordName: string): DatabaseSettings => {
    const passwordFile = need(passwordName);
    const text = need(name);
    const parsed = text === "" ? undefined : parseDatabase(text);
    if (typeof parsed === "string") problems.push(`${prefix}${name}: ${parsed}`);
    const where = parsed === undefined || typeof parsed === "string" ? nowhere : parsed;
    return { ...where, passwordFile, caFile, singleSession: false };
  };
  const listen = parseListen(read("LISTEN") ?? "0.0.0.0:8080");
  if (listen === undefined) problems.push(`${prefix}LISTEN must be HOST:PORT, for example 0.0.0.0:8080`);
  const settings: ServiceSettings = {
    listen: listen ?? { host: "", port: 0 },
    local: false,
    tls: readTls(read, problems),
    monitor: database("DATABASE", "PASSWORD_FILE"),
    telemetry: database("TELEMETRY", "TELEMETRY_PASSWORD_FILE"),
    tokens: readTokens(read, need, problems),
    pageFolder: read("PAGE"),
    volumeBytes: readBytes(read("VOLUME_BYTES"), problems),
    limits: defaultLimits,
    version: serviceVersion,
  };
  if (problems.length > 0) {
    throw new UserError(
      `the monitoring service cannot start:\n${problems.map((one) => `  - ${one}`).join("\n")}`,
      {
        fix: "set these environment variables of the service and start it again",
        exitCode: ExitCode.refused,
      },
    );
  }
  return settings;
}

function readBytes(text: string | undefined, problems: string[]): number | undefined {
  if (text === undefined) return undefined;
  const bytes = Number(text);
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    problems.push(`${prefix}VOLUME_BYTES must be a number of bytes`);
  return bytes;
}

function readTls(read: (name: string) => string | undefined, problems: string[]): ServiceSettings["tls"] {
  const [certificateFile, keyFile] = [read("TLS_CERTIFICATE_FILE"), read("TLS_KEY_FILE")];
  if (certificateFile !== undefined && keyFile !== undefined) return { certificateFile, keyFile };
  if (certificateFile !== undefined || keyFile !== undefined) {
    problems.push(`${prefix}TLS_CERTIFICATE_FILE and ${prefix}TLS_KEY_FILE belong together: one is not set`);
  }
  return undefined;
}

function readTokens(
  read: (name: string) => string | undefined,
  need: (name: string) => string,
  problems: string[],
): TokenSettings | undefined {
  if (["ISSUER", "AUDIENCE", "JWKS_FILE", "JWKS_URL"].every((name) => read(name) === undefined)) {
    return undefined;
  }
  const issuer = need("ISSUER");
  const file = read("JWKS_FILE");
  const url = read("JWKS_URL");
  if (file !== undefined && url !== undefined) {
    problems.push(
      `${prefix}JWKS_FILE and ${prefix}JWKS_URL are both set: one of them says where the keys are`,
    );
  }
  if (url !== undefined && !isSafeUrl(url)) {
    problems.push(`${prefix}JWKS_URL must be an https:// URL: who can change the keys can forge tokens`);
  }
  if (file === undefined && url === undefined && issuer !== "" && !isSafeUrl(issuer)) {
    problems.push(
      `${prefix}ISSUER must be an https:// URL when neither ${prefix}JWKS_FILE nor ${prefix}JWKS_URL is set: the keys are looked up there`,
    );
  }
  return {
    issuer,
    audience: need("AUDIENCE"),
    keys:
      file !== undefined
        ? { from: "file", file }
        : url !== undefined
          ? { from: "url", url }
          : { from: "discovery" },
    rolesClaim: read("ROLES_CLAIM") ?? "roles",
  };
}

/** Encrypted, or to this machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));
}

type Where = Pick<DatabaseSettings, "host" | "port" | "database" | "user" | "tls">;
const nowhere: Where = { host: "", port: 0, database: "", user: "", tls: "verify-full" };

/** What is wrong with it, as a text, instead of where it leads. The URL itself is not said: it may hold a password. */
function parseDatabase(text: string): Where | string {
  const example = "it must look like postgres://ms5_monitor@host:5432/database";
  if (!URL.canParse(text)) return `is not a URL: ${example}`;
  const url = new URL(text);
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") return example;
  if (url.password !== "") return "holds a password: put it into the password file, URLs end up in logs";
  const host = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, "");
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  if (host === "" || database === "" || user === "") return `lacks host, database or role: ${example}`;
  const unknown = [...url.searchParams.keys()].filter((key) => key !== "sslmode");
  if (unknown.length > 0) return `has parameters that are not known here: ${unknown.join(", ")}`;
  const mode = url.searchParams.get("sslmode") ?? "verify-full";
  if (mode !== "verify-full" && mode !== "disable") return "sslmode must be verify-full or disable";
  if (mode === "disable" && !isLoopback(host)) {
    return "sslmode=disable is for loopback only: the password and the telemetry would cross the network in clear";
  }
  return { host, port: url.port === "" ? 5432 : Number(url.port), database, user, tls: mode };
}

function parseListen(text: string): { host: string; port: number } | undefined {
  const [, host, port] = /^(?:\[([0-9a-f:]+)\]|[^:[\]]+):(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) return undefined;
  return { host: host ?? text.slice(0, text.lastIndexOf(":")), port: Number(port) };
}
