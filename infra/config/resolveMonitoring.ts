/** Lays what is written of monitoring over the environment's defaults. */
import type { MonitoringDefaults } from "../environments";
import type { ApiSettings, EmailSettings, MonitoringSettings } from "../monitoring/settings";
import { defined } from "./defined";
import { configError } from "./errors";
import { knownInterval } from "./knownInterval";
import type { MonitoringInput } from "./monitoringSchema";

/** Every public address: policies leave private networks out (infra/kubernetes/networkPolicies.ts). */
const everywhere = ["0.0.0.0/0"];

/** undefined where nothing watches. @throws UserError for a receiver or an issuer of which something is missing */
export function monitoringSettings(
  stack: string,
  input: MonitoringInput,
  defaults: MonitoringDefaults,
  storageClass: string | undefined,
): MonitoringSettings | undefined {
  const place = input.place ?? defaults.place;
  if (place === "none") return undefined;
  const { notify = {}, remoteWrite } = input;
  const email = notify.email && emailSettings(stack, place, notify.email);
  const api = input.api && apiSettings(stack, input.api);
  if (remoteWrite !== undefined && remoteWrite.url === undefined) {
    throw missing(stack, "monitoring.remoteWrite", [
      ["url", "where samples go", "https://metrics.example/api/v1/write"],
    ]);
  }
  const reachesOut =
    notify.webhook !== undefined ||
    notify.teams !== undefined ||
    remoteWrite !== undefined ||
    (api !== undefined && "url" in api.keys);
  return {
    place,
    retention: knownInterval(input.retention ?? defaults.retention),
    volume: input.volume ?? defaults.volume,
    storageClass: input.storageClass ?? storageClass,
    grafana: input.grafana ?? true,
    images: { ...defaults.images, ...defined(input.images ?? {}) },
    remoteWrite:
      remoteWrite?.url === undefined ? undefined : { url: remoteWrite.url, token: remoteWrite.token },
    notify: {
      webhook: notify.webhook,
      teams: notify.teams,
      email,
      warnings: notify.warnings ?? true,
    },
    outside: reachesOut
      ? { addresses: input.outside?.addresses ?? everywhere, port: input.outside?.port ?? 443 }
      : undefined,
    api,
    freshness: knownInterval(input.freshness ?? "5 minutes"),
  };
}

type EmailInput = NonNullable<NonNullable<MonitoringInput["notify"]>["email"]>;

function emailSettings(stack: string, place: "cluster" | "azure", input: EmailInput): EmailSettings {
  const { to, from, server, addresses, user, password } = input;
  if (place === "azure" && to !== undefined) return { to, by: undefined };
  if (to === undefined || from === undefined || server === undefined || addresses === undefined) {
    throw missing(stack, "monitoring.notify.email", [
      ...need(to, "to", "who gets alerts", "oncall@factory.example"),
      ...need(from, "from", "whom they come from", "ms5@factory.example"),
      ...need(server, "server", "which server sends them", "mail.factory.example:587"),
      ...need(
        addresses,
        "addresses",
        "where that answers: Alertmanager may go nowhere else",
        '["10.0.0.25/32"]',
      ),
    ]);
  }
  if ((user === undefined) !== (password === undefined)) {
    throw missing(stack, "monitoring.notify.email", [
      ...need(user, "user", "a password alone logs nobody in", "ms5"),
      ...need(password, "password", "a user alone logs nobody in", undefined),
    ]);
  }
  const login = user === undefined || password === undefined ? undefined : { user, password };
  return { to, by: { from, server, addresses, login } };
}

function apiSettings(stack: string, input: NonNullable<MonitoringInput["api"]>): ApiSettings {
  const { issuer, audience, keysUrl, keys } = input;
  const source = keys !== undefined ? { set: keys } : keysUrl !== undefined ? { url: keysUrl } : undefined;
  if (issuer === undefined || audience === undefined || source === undefined) {
    throw missing(stack, "monitoring.api", [
      ...need(issuer, "issuer", "who signs tokens", "https://login.example/tenant/v2.0"),
      ...need(audience, "audience", "whom tokens are for", "api://ms5-monitoring"),
      ...need(
        source,
        "keysUrl",
        "where the issuer's keys are",
        "https://login.example/tenant/discovery/v2.0/keys",
      ),
    ]);
  }
  return { issuer, audience, keys: source, rolesClaim: input.rolesClaim ?? "roles" };
}

type Need = readonly [name: string, why: string, example: string | undefined];

function need(value: unknown, ...rest: [string, string, string | undefined]): Need[] {
  return value === undefined ? [rest] : [];
}

function missing(stack: string, key: string, needs: readonly Need[]) {
  return configError(
    stack,
    needs.map(([name, why, example]) => ({
      key: `${key}.${name}`,
      found: undefined,
      problem: `is not set: ${why}`,
      example,
    })),
  );
}
