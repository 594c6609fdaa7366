// Everything on a wire is encrypted, by TLS 1.2 at least.
import { azureType } from "../azure";
import { kubernetesKind } from "../kubernetes";
import { broken, demand, type Finding, type ResourceRule, undecided } from "../rule";
import { at, isList, unknown, type Values } from "../values";

const modern =
  (...versions: string[]) =>
  (value: unknown) =>
    versions.some((version) => version === value);

/** Names of what PostgreSQL runs with, as infra/database/patroniConfig.ts fixes them. */
const rollout = "pulumi-nodejs:dynamic/database:Rollout";

export const tls: ResourceRule = {
  name: "tls",
  description: "Connections to storage, database, pooler and web pages are encrypted, by TLS 1.2 at least",
  check({ type, values }) {
    if (azureType(type) === "storage:StorageAccount") return storage(values);
    if (type === rollout) return postgres(values);
    if (kubernetesKind(type) === "core:ConfigMap") return pooler(values);
    if (kubernetesKind(type) === "networking.k8s.io:Ingress") return ingress(values);
    return [];
  },
};

function storage({ minimumTlsVersion, enableHttpsTrafficOnly }: Values): Finding[] {
  return [
    ...demand(
      "minimumTlsVersion",
      minimumTlsVersion,
      modern("TLS1_2", "TLS1_3"),
      'Azure would take older ones; set it to "TLS1_2"',
    ),
    ...demand(
      "enableHttpsTrafficOnly",
      enableHttpsTrafficOnly,
      (value) => value === undefined || value === true,
      "backups would travel in plain text; set it to true",
    ),
  ];
}

function postgres({ settingsThatReload }: Values): Finding[] {
  return [
    ...demand(
      "ssl",
      at(settingsThatReload, "ssl"),
      (value) => value === "on",
      'passwords would travel in plain text; take it out of cluster.parameters, or set it to "on"',
    ),
    ...demand(
      "ssl_min_protocol_version",
      at(settingsThatReload, "ssl_min_protocol_version"),
      modern("TLSv1.2", "TLSv1.3"),
      'take it out of cluster.parameters, or set it to "TLSv1.2"',
    ),
  ];
}

const insist: ReadonlySet<string | undefined> = new Set(["require", "verify-ca", "verify-full"]);

/** A ConfigMap with a pgbouncer.ini. */
function pooler({ data }: Values): Finding[] {
  const ini = at(data, "pgbouncer.ini");
  if (ini === unknown) return [undecided("data.pgbouncer.ini")];
  if (typeof ini !== "string") return [];
  return ["client_tls_sslmode", "server_tls_sslmode"].flatMap((setting) =>
    demand(
      setting,
      new RegExp(`^${setting}\\s*=\\s*(\\S+)`, "m").exec(ini)?.[1],
      (mode) => typeof mode === "string" && insist.has(mode),
      `connections of the pooler could be in plain text; set it in infra/database/pgbouncerIni.ts`,
    ),
  );
}

function ingress({ spec }: Values): Finding[] {
  const hosts = at(spec, "tls");
  if (hosts === unknown) return [undecided("spec.tls")];
  if (isList(hosts) && hosts.length > 0) return [];
  return [broken("it serves pages without encryption: give it spec.tls")];
}
