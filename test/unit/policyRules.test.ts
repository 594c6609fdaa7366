// Each rule on one resource that keeps to it, and on the ways of not doing so.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { backupPod, clonePod, drillPod } from "../../infra/database/backups/pods";
import { renderPgbouncerIni } from "../../infra/database/pgbouncerIni";
import { databasePod } from "../../infra/database/podSpec";
import { poolerPod } from "../../infra/database/poolerPod";
import { namespaceLabels, nodeNamespaceLabels } from "../../infra/kubernetes/namespaces";
import type { CheckedResource, ResourceRule } from "../../infra/policy/rule";
import { resourceRules, ruleNames } from "../../infra/policy/rules";
import { allowedRegions, euRegions } from "../../infra/policy/rules/allowedRegions";
import { allowedSizes } from "../../infra/policy/rules/allowedSizes";
import { budgetAlerts, budgetPresent } from "../../infra/policy/rules/budget";
import { encryption } from "../../infra/policy/rules/encryption";
import { noDatabaseLoadBalancer } from "../../infra/policy/rules/noDatabaseLoadBalancer";
import {
  isSecretName,
  noPlainSecrets,
  noPlainSecretsInOutputs,
} from "../../infra/policy/rules/noPlainSecrets";
import { noPublicApiServer } from "../../infra/policy/rules/noPublicApiServer";
import { noPublicData } from "../../infra/policy/rules/noPublicData";
import { protectData } from "../../infra/policy/rules/protectData";
import { requestsAndLimits } from "../../infra/policy/rules/requestsAndLimits";
import { requiredTags, untaggable } from "../../infra/policy/rules/requiredTags";
import { restrictedNamespaces } from "../../infra/policy/rules/restrictedNamespaces";
import { restrictedPods } from "../../infra/policy/rules/restrictedPods";
import { tls } from "../../infra/policy/rules/tls";
import { unknown, type Value, type Values } from "../../infra/policy/values";
import { projectRoot } from "../../ops/paths";

interface More {
  readonly environment?: string;
  readonly config?: Values;
  readonly protect?: boolean;
  readonly secrets?: readonly string[];
}

function resource(
  type: string,
  values: object,
  { protect = false, secrets = [] }: More = {},
): CheckedResource {
  const urn = `urn:pulumi:prod::ms5-timescale::${type}::it`;
  return { type, name: "it", urn, values: values as Values, secrets: new Set(secrets), protect };
}

/** What a rule says; with a question mark where only an `up` will know. */
function ask(rule: ResourceRule, type: string, values: object, more: More = {}): string[] {
  const { environment = "prod", config = {} } = more;
  return rule
    .check(resource(type, values, more), { environment, config })
    .map(({ message, certain }) => (certain ? message : `? ${message}`));
}

const later = (property: string) =>
  `? ${property} is known only after up: up checks it, and stops there if it is wrong`;

const storageAccount = "azure-native:storage:StorageAccount";
const vault = "azure-native:keyvault:Vault";
const aks = "azure-native:containerservice:ManagedCluster";
const pool = "azure-native:containerservice:AgentPool";
const deployment = "kubernetes:apps/v1:Deployment";

describe("every rule", () => {
  it("has a name of its own, and one that an exception can be written for", () => {
    expect(new Set(ruleNames).size).toBe(ruleNames.length);
    for (const name of ruleNames) expect(name).toMatch(/^[a-z-]+$/);
  });

  const types = [
    storageAccount,
    vault,
    aks,
    pool,
    deployment,
    "azure-native:consumption:Budget",
    "kubernetes:core/v1:Service",
    "pulumi-nodejs:dynamic/database:Rollout",
    "pulumi:pulumi:Stack",
  ];

  it.each(types)("can look at a %s of which nothing is said, or nothing known", (type) => {
    const properties = ["apiServerAccessProfile", "metadata", "notifications", "properties", "spec", "tags"];
    const nothingKnown = Object.fromEntries(properties.map((property) => [property, unknown]));
    for (const rule of resourceRules) {
      expect(() => ask(rule, type, {})).not.toThrow();
      expect(() => ask(rule, type, nothingKnown)).not.toThrow();
    }
  });
});

describe("no public data", () => {
  const closed = { publicNetworkAccess: "Disabled", allowBlobPublicAccess: false };
  const account = (changes: object) => ask(noPublicData, storageAccount, { ...closed, ...changes });

  it("takes storage with private addresses only, or open to listed subnets and networks", () => {
    expect(account({})).toEqual([]);
    expect(account({ publicNetworkAccess: "SecuredByPerimeter" })).toEqual([]);
    const rules = { defaultAction: "Deny", ipRules: [{ iPAddressOrRange: "198.51.100.0/24" }] };
    expect(account({ publicNetworkAccess: "Enabled", networkRuleSet: rules })).toEqual([]);
    expect(account({ publicNetworkAccess: unknown, networkRuleSet: rules })).toEqual([]);
  });

  it.each([{}, { networkRuleSet: { defaultAction: "Allow" } }])(
    "refuses storage open to all, with %j",
    (rules) => {
      expect(account({ publicNetworkAccess: "Enabled", ...rules })).toEqual([
        expect.stringMatching(/anyone on the internet may try: set azure\.network\.privateEndpoints to true/),
      ]);
      expect(account({ publicNetworkAccess: undefined, ...rules })).toHaveLength(1);
    },
  );

  it("refuses a list of networks with everybody in it", () => {
    const ipRules = [{ iPAddressOrRange: "198.51.100.1" }, { iPAddressOrRange: "0.0.0.0/0" }];
    expect(
      account({ publicNetworkAccess: "Enabled", networkRuleSet: { defaultAction: "Deny", ipRules } }),
    ).toEqual([
      'networkRuleSet.ipRules[1].iPAddressOrRange is "0.0.0.0/0": lists everybody; name the networks that may',
    ]);
  });

  it("refuses containers that anyone can read", () => {
    expect(account({ allowBlobPublicAccess: true })).toHaveLength(1);
    expect(account({ allowBlobPublicAccess: undefined })).toEqual([
      "allowBlobPublicAccess is not set: anyone could read a container that is marked public; set it to false",
    ]);
    const container = (publicAccess: Value) =>
      ask(noPublicData, "azure-native:storage:BlobContainer", { publicAccess });
    expect(container("None")).toEqual([]);
    expect(container("Blob")).toHaveLength(1);
  });

  it("asks the same of a key vault", () => {
    const check = (properties: object) => ask(noPublicData, vault, { properties });
    expect(check({ publicNetworkAccess: "Disabled" })).toEqual([]);
    expect(check({ publicNetworkAccess: "Enabled", networkAcls: { defaultAction: "Deny" } })).toEqual([]);
    expect(check({ networkAcls: { defaultAction: "Allow" } })).toHaveLength(1);
    expect(check({})).toHaveLength(1);
  });

  it("asks the same of disks and of databases that Azure runs", () => {
    const disk = (policy: string) =>
      ask(noPublicData, "azure-native:compute:Disk", { networkAccessPolicy: policy });
    expect(disk("DenyAll")).toEqual([]);
    expect(disk("AllowAll")).toHaveLength(1);
    const server = (network: object) => ask(noPublicData, "azure-native:dbforpostgresql:Server", { network });
    expect(server({ delegatedSubnetResourceId: unknown })).toEqual([]);
    expect(server({ publicNetworkAccess: "Disabled" })).toEqual([]);
    expect(server({ publicNetworkAccess: "Enabled" })).toHaveLength(1);
    expect(server({})).toHaveLength(1);
    const rule = { startIpAddress: "0.0.0.0", endIpAddress: "0.0.0.0" };
    expect(ask(noPublicData, "azure-native:dbforpostgresql:FirewallRule", rule)).toHaveLength(1);
  });

  it("does not pass what is not known yet", () => {
    expect(account({ publicNetworkAccess: unknown })).toEqual([later("publicNetworkAccess")]);
    expect(account({ publicNetworkAccess: "Enabled", networkRuleSet: unknown })).toEqual([
      later("networkRuleSet.defaultAction"),
    ]);
    expect(account({ allowBlobPublicAccess: unknown })).toEqual([later("allowBlobPublicAccess")]);
  });

  it("knows a type whatever version of Azure's API it names", () => {
    for (const type of [
      "azure-native:storage/v20240101:StorageAccount",
      "azure-native_storage_v20240101:storage:StorageAccount",
    ]) {
      expect(ask(noPublicData, type, {})).toHaveLength(2);
    }
  });
});

describe("no public API server", () => {
  const check = (apiServerAccessProfile: Value) => ask(noPublicApiServer, aks, { apiServerAccessProfile });

  it("takes a private one, or one for listed networks", () => {
    expect(check({ enablePrivateCluster: true })).toEqual([]);
    expect(check({ enablePrivateCluster: false, authorizedIPRanges: ["198.51.100.0/24"] })).toEqual([]);
  });

  it.each([undefined, {}, { enablePrivateCluster: false }, { authorizedIPRanges: [] }])(
    "refuses one that answers to all: %j",
    (profile) => {
      expect(check(profile)).toEqual([
        expect.stringMatching(/set azure\.kubernetes\.privateApiServer to true, or list/),
      ]);
    },
  );

  it.each(["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"])("refuses a list with %s in it", (range) => {
    expect(check({ authorizedIPRanges: ["198.51.100.0/24", range] })).toHaveLength(1);
  });

  it("does not pass what is not known yet", () => {
    expect(check(unknown)).toEqual([later("apiServerAccessProfile.enablePrivateCluster")]);
    expect(check({ authorizedIPRanges: unknown })).toEqual([
      later("apiServerAccessProfile.authorizedIPRanges"),
    ]);
    expect(check({ authorizedIPRanges: [unknown] })).toEqual([
      later("apiServerAccessProfile.authorizedIPRanges[0]"),
    ]);
  });
});

describe("no load balancer for the database", () => {
  const service = (spec: object, namespace: Value = "ms5-pooler") =>
    ask(noDatabaseLoadBalancer, "kubernetes:core/v1:Service", { metadata: { namespace }, spec });

  it("takes a Service inside of the cluster, and any kind in somebody else's namespace", () => {
    expect(service({ clusterIP: "None" })).toEqual([]);
    expect(service({ type: "ClusterIP", externalIPs: [] })).toEqual([]);
    expect(service({ type: "LoadBalancer" }, "ingress-nginx")).toEqual([]);
  });

  it.each([{ type: "LoadBalancer" }, { type: "NodePort" }, { externalIPs: ["198.51.100.1"] }])(
    "refuses %j",
    (spec) => {
      expect(service(spec)).toEqual([expect.stringMatching(/to what is outside of the cluster/)]);
      expect(service(spec, "ms5-database")).toHaveLength(1);
    },
  );

  it.each([
    "kubernetes:networking.k8s.io/v1:Ingress",
    "kubernetes:gateway.networking.k8s.io/v1alpha2:TCPRoute",
  ])("refuses a %s in our namespaces", (type) => {
    const values = (namespace: string) => ({ metadata: { namespace }, spec: {} });
    expect(ask(noDatabaseLoadBalancer, type, values("ms5-database"))).toHaveLength(1);
    expect(ask(noDatabaseLoadBalancer, type, values("shop"))).toEqual([]);
  });

  it("does not pass what is not known yet", () => {
    expect(service({ type: unknown })).toEqual([later("spec.type")]);
    expect(service({ type: "NodePort" }, unknown)).toEqual([later("metadata.namespace")]);
    expect(service({ type: "ClusterIP" }, unknown)).toEqual([]);
  });
});

describe("TLS", () => {
  it("takes storage that insists on TLS 1.2 or newer", () => {
    const check = (values: object) => ask(tls, storageAccount, values);
    expect(check({ minimumTlsVersion: "TLS1_2", enableHttpsTrafficOnly: true })).toEqual([]);
    expect(check({ minimumTlsVersion: "TLS1_3" })).toEqual([]);
    expect(check({ minimumTlsVersion: "TLS1_1" })).toEqual([
      'minimumTlsVersion is "TLS1_1": Azure would take older ones; set it to "TLS1_2"',
    ]);
    expect(check({})).toHaveLength(1);
    expect(check({ minimumTlsVersion: "TLS1_2", enableHttpsTrafficOnly: false })).toHaveLength(1);
    expect(check({ minimumTlsVersion: unknown })).toEqual([later("minimumTlsVersion")]);
  });

  it("takes a PostgreSQL that does", () => {
    const check = (settingsThatReload: Value) =>
      ask(tls, "pulumi-nodejs:dynamic/database:Rollout", { settingsThatReload });
    expect(check({ ssl: "on", ssl_min_protocol_version: "TLSv1.2" })).toEqual([]);
    expect(check({ ssl: "off", ssl_min_protocol_version: "TLSv1.2" })).toHaveLength(1);
    expect(check({ ssl: "on", ssl_min_protocol_version: "TLSv1.1" })).toHaveLength(1);
    expect(check({})).toHaveLength(2);
    expect(check(unknown)).toEqual([later("ssl"), later("ssl_min_protocol_version")]);
  });

  it("takes the pooler's own settings, and none that would let plain text through", () => {
    const check = (data: Value) => ask(tls, "kubernetes:core/v1:ConfigMap", { data });
    const ini = renderPgbouncerIni({ replicas: 2, serverConnections: 50, clientConnections: 1000 } as never, {
      name: "blue",
      namespace: "ms5-database",
      members: 3,
    });
    expect(check({ "pgbouncer.ini": ini })).toEqual([]);
    expect(
      check({ "pgbouncer.ini": ini.replace("client_tls_sslmode = require", "client_tls_sslmode = allow") }),
    ).toEqual([
      'client_tls_sslmode is "allow": connections of the pooler could be in plain text; set it in infra/database/pgbouncerIni.ts',
    ]);
    expect(check({ "pgbouncer.ini": "[pgbouncer]\n" })).toHaveLength(2);
    expect(check({ "pgbouncer.ini": unknown })).toEqual([later("data.pgbouncer.ini")]);
    expect(check({ "haproxy.cfg": "" })).toEqual([]);
  });

  it("takes an Ingress with a certificate", () => {
    const check = (spec: object) => ask(tls, "kubernetes:networking.k8s.io/v1:Ingress", { spec });
    expect(check({ tls: [{ hosts: ["grafana.example.com"] }] })).toEqual([]);
    expect(check({ tls: [] })).toHaveLength(1);
    expect(check({})).toHaveLength(1);
    expect(check({ tls: unknown })).toEqual([later("spec.tls")]);
  });
});

describe("encryption", () => {
  it("takes backups that are encrypted twice", () => {
    const check = (encrypted: Value) => ask(encryption, storageAccount, { encryption: encrypted });
    expect(check({ requireInfrastructureEncryption: true })).toEqual([]);
    expect(check({ requireInfrastructureEncryption: false })).toHaveLength(1);
    expect(check(undefined)).toHaveLength(1);
    expect(
      check({ requireInfrastructureEncryption: true, services: { blob: { enabled: false } } }),
    ).toHaveLength(1);
    expect(check({ requireInfrastructureEncryption: unknown })).toHaveLength(1);
  });

  it("takes nodes that encrypt at their host, in every pool", () => {
    const cluster = (...enabled: Value[]) =>
      ask(encryption, aks, {
        agentPoolProfiles: enabled.map((enableEncryptionAtHost) => ({ enableEncryptionAtHost })),
      });
    expect(cluster(true, true)).toEqual([]);
    expect(cluster(true, false)).toEqual([
      "agentPoolProfiles[1].enableEncryptionAtHost is false: temporary disks and caches of the nodes would be in plain text; set it to true in infra/azure/cluster.ts",
    ]);
    expect(cluster(undefined)).toHaveLength(1);
    expect(cluster(unknown)).toEqual([later("agentPoolProfiles[0].enableEncryptionAtHost")]);
    expect(ask(encryption, aks, { agentPoolProfiles: unknown })).toEqual([later("agentPoolProfiles")]);
    expect(ask(encryption, pool, { enableEncryptionAtHost: true })).toEqual([]);
    expect(ask(encryption, pool, {})).toHaveLength(1);
  });

  it("takes volumes on Azure's managed disks where the cluster is Azure's", () => {
    const check = (values: object, environment = "prod") =>
      ask(encryption, "kubernetes:storage.k8s.io/v1:StorageClass", values, { environment });
    expect(check({ provisioner: "disk.csi.azure.com", parameters: { skuName: "Premium_LRS" } })).toEqual([]);
    expect(check({ provisioner: "rancher.io/local-path" })).toHaveLength(1);
    expect(check({ provisioner: "rancher.io/local-path" }, "cluster")).toEqual([]);
    expect(check({ provisioner: "disk.csi.azure.com", parameters: { kind: "Dedicated" } })).toHaveLength(1);
    expect(check({ provisioner: unknown })).toEqual([later("provisioner")]);
  });
});

describe("required tags", () => {
  const tags = {
    project: "ms5-timescale",
    environment: "prod",
    owner: "platform@example.com",
    "managed-by": "pulumi",
  };
  const check = (changed: Value) => ask(requiredTags, storageAccount, { tags: changed });

  it("takes a resource with all of them, and more", () => {
    expect(check({ ...tags, "cost-centre": "4711" })).toEqual([]);
  });

  it("refuses one without any of them, or with another environment's", () => {
    expect(check(undefined)).toHaveLength(4);
    expect(check({ ...tags, owner: "" })).toEqual(['tag owner is "": set azure.owner to who answers for it']);
    expect(check({ ...tags, environment: "dev" })).toEqual([
      'tag environment is "dev": set it to "prod" (infra/azure/tags.ts)',
    ]);
    expect(check({ ...tags, project: "ms5", "managed-by": undefined })).toHaveLength(2);
  });

  it("does not pass what is not known yet", () => {
    expect(check(unknown)).toEqual([later("tags")]);
    expect(check({ ...tags, owner: unknown })).toEqual([later("tag owner")]);
  });

  it("asks nothing of what is not in Azure, or takes no tags there", () => {
    expect(ask(requiredTags, "kubernetes:core/v1:Service", {})).toEqual([]);
    expect(ask(requiredTags, "azure-native:network:Subnet", {})).toEqual([]);
    expect(ask(requiredTags, "pulumi:providers:azure-native", {})).toEqual([]);
  });

  it.each([...untaggable])("knows rightly that Azure takes no tags on %s", (type) => {
    const [module = "", kind = ""] = type.split(":");
    const file = join(
      projectRoot,
      "node_modules/@pulumi/azure-native",
      module,
      `${kind.charAt(0).toLowerCase()}${kind.slice(1)}.d.ts`,
    );
    expect(existsSync(file)).toBe(true);
    const [, args = ""] = /export interface \w+Args \{([\s\S]*?)^\}/m.exec(readFileSync(file, "utf8")) ?? [];
    expect(args).not.toBe("");
    expect(args).not.toMatch(/^ {4}tags\??:/m);
  });
});

describe("protected data", () => {
  const check = (type: string, environment: string, protect: boolean) =>
    ask(protectData, type, {}, { environment, protect });

  it.each([storageAccount, vault, "azure-native:resources:ResourceGroup", "azure-native:compute:Disk"])(
    "wants %s protected where somebody's data is",
    (type) => {
      expect(check(type, "prod", true)).toEqual([]);
      expect(check(type, "prod", false)).toEqual([expect.stringMatching(/set azure\.protect to true$/)]);
      expect(check(type, "staging", false)).toHaveLength(1);
      expect(check(type, "dev", false)).toEqual([]);
    },
  );

  it("takes a stack of an unknown name for one with data", () => {
    expect(check(vault, "prod-2", false)).toHaveLength(1);
  });

  it("asks nothing of what can be made again", () => {
    expect(check("azure-native:network:VirtualNetwork", "prod", false)).toEqual([]);
  });
});

const restrictedContainer = {
  name: "app",
  resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
};
const restrictedPod = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [restrictedContainer],
  volumes: [{ name: "tmp", emptyDir: {} }],
};

/** Where each kind has its pod. */
const wrapped: Readonly<Record<string, (pod: object) => object>> = {
  "kubernetes:core/v1:Pod": (pod) => ({ spec: pod }),
  [deployment]: (pod) => ({ spec: { template: { spec: pod } } }),
  "kubernetes:apps/v1:StatefulSet": (pod) => ({ spec: { template: { spec: pod } } }),
  "kubernetes:apps/v1:DaemonSet": (pod) => ({ spec: { template: { spec: pod } } }),
  "kubernetes:batch/v1:Job": (pod) => ({ spec: { template: { spec: pod } } }),
  "kubernetes:batch/v1:CronJob": (pod) => ({ spec: { jobTemplate: { spec: { template: { spec: pod } } } } }),
};

describe("requests and limits", () => {
  const check = (pod: object) => ask(requestsAndLimits, deployment, wrapped[deployment]?.(pod) ?? {});

  it.each(Object.entries(wrapped))("are found in a %s", (type, wrap) => {
    expect(ask(requestsAndLimits, type, wrap(restrictedPod))).toEqual([]);
    expect(ask(requestsAndLimits, type, wrap({ containers: [{ name: "app" }] }))).toHaveLength(3);
  });

  it("are asked of init containers too, each by name", () => {
    const setup = { name: "setup", resources: { requests: { cpu: "1" } } };
    expect(check({ ...restrictedPod, initContainers: [setup] })).toEqual([
      "container setup: resources.requests.memory is not set: say how much it needs, where the pod is written",
      "container setup: resources.limits.memory is not set: say how much it needs, where the pod is written",
    ]);
  });

  it("do not pass where they are not known yet", () => {
    expect(check({ containers: unknown })).toEqual([later("spec.template.spec.containers")]);
    expect(check({ containers: [unknown] })).toEqual([later("spec.template.spec.containers[0]")]);
    expect(check({ containers: [{ ...restrictedContainer, resources: unknown }] })).toHaveLength(3);
    expect(ask(requestsAndLimits, deployment, { spec: unknown })).toEqual([later("spec.template.spec")]);
  });
});

describe("restricted pods", () => {
  const check = (pod: object) => ask(restrictedPods, deployment, { spec: { template: { spec: pod } } });
  const withContext = (securityContext: object) =>
    check({
      ...restrictedPod,
      containers: [
        {
          ...restrictedContainer,
          securityContext: { ...restrictedContainer.securityContext, ...securityContext },
        },
      ],
    });

  it.each(Object.entries(wrapped))("are found in a %s", (type, wrap) => {
    expect(ask(restrictedPods, type, wrap(restrictedPod))).toEqual([]);
    expect(ask(restrictedPods, type, wrap({ containers: [{ name: "app" }] }))).toEqual([
      "container app: securityContext.runAsNonRoot is not set: set it to true",
      'container app: securityContext.seccompProfile.type is not set: set it to "RuntimeDefault"',
      "container app: securityContext.allowPrivilegeEscalation is not set: set it to false",
      "container app: securityContext.readOnlyRootFilesystem is not set: set it to true, and mount an emptyDir where it has to write",
      'container app: securityContext.capabilities.drop is not set: set it to ["ALL"]',
    ]);
  });

  it.each([
    ["runs as root", { runAsUser: 0 }],
    ["may run as root", { runAsNonRoot: false }],
    ["has any system call", { seccompProfile: { type: "Unconfined" } }],
    ["may gain privileges", { allowPrivilegeEscalation: true }],
    ["is privileged", { privileged: true }],
    ["writes its image", { readOnlyRootFilesystem: false }],
    ["keeps capabilities", { capabilities: { drop: ["NET_RAW"] } }],
    ["adds capabilities", { capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } }],
  ])("refuses a container that %s", (_, context) => {
    expect(withContext(context)).toHaveLength(1);
  });

  it.each([
    { hostNetwork: true },
    { hostPID: true },
    { hostIPC: true },
    { volumes: [{ name: "node", hostPath: { path: "/" } }] },
    { containers: [{ ...restrictedContainer, ports: [{ containerPort: 80, hostPort: 80 }] }] },
    { initContainers: [{ name: "setup" }], containers: [] },
  ])("refuses a pod with %j", (changes) => {
    expect(check({ ...restrictedPod, ...changes })).not.toEqual([]);
  });

  it("lets pods of one namespace read what their node's kernel says, and nothing else of the node", () => {
    const spec = (path: string) => ({
      ...restrictedPod,
      volumes: [{ name: "node", hostPath: { path } }],
    });
    const daemonSet = (namespace: string, path: string) =>
      ask(restrictedPods, "kubernetes:apps/v1:DaemonSet", {
        metadata: { namespace },
        spec: { template: { spec: spec(path) } },
      });
    expect(daemonSet("ms5-nodes", "/proc")).toEqual([]);
    expect(daemonSet("ms5-nodes", "/")).toHaveLength(1);
    expect(daemonSet("ms5-monitoring", "/proc")).toHaveLength(1);
  });

  it("lets a container say otherwise than its pod, in both directions", () => {
    expect(withContext({ runAsNonRoot: false })).toHaveLength(1);
    const container = {
      ...restrictedContainer,
      securityContext: {
        ...restrictedContainer.securityContext,
        runAsNonRoot: true,
        seccompProfile: { type: "Localhost" },
        capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
      },
    };
    expect(check({ containers: [container] })).toEqual([]);
  });

  it("does not pass what is not known yet", () => {
    expect(check({ ...restrictedPod, volumes: unknown })).toEqual([later("spec.template.spec.volumes")]);
    expect(withContext({ privileged: unknown })).toEqual([
      later("container app: securityContext.privileged"),
    ]);
    expect(ask(restrictedPods, deployment, { spec: unknown })).toEqual([later("spec.template.spec")]);
  });
});

describe("our own pods", () => {
  const address = { name: "blue", namespace: "ms5-database", members: 3 };
  const restoring = {
    colour: "blue",
    image: "database",
    cpu: "250m",
    memory: "1Gi",
    volume: "100Gi",
    storageClass: undefined,
  };
  const pods = {
    database: databasePod({
      cluster: address,
      image: "database",
      cpu: "4",
      memory: "32Gi",
      accountName: "database",
      dedicatedNodes: true,
      backups: true,
      startsWith: {},
    }),
    pooler: poolerPod({
      images: { pgbouncer: "pgbouncer", haproxy: "haproxy", exporter: undefined },
      cluster: address,
      accountName: "pooler",
      clientConnections: 1_000,
      startsWith: {},
    }),
    backup: backupPod(restoring, "full"),
    drill: drillPod(restoring),
    clone: clonePod(restoring, { name: "before", target: { kind: "latest", value: null } }),
  };

  it.each(Object.entries(pods))("keep to the rules: %s", (_, template) => {
    for (const rule of [requestsAndLimits, restrictedPods, noPlainSecrets]) {
      expect(ask(rule, deployment, { spec: { template } })).toEqual([]);
    }
  });
});

describe("restricted namespaces", () => {
  const check = (labels: Value) =>
    ask(restrictedNamespaces, "kubernetes:core/v1:Namespace", { metadata: { labels } });

  it("take ours", () => {
    expect(check(namespaceLabels)).toEqual([]);
  });

  it.each([undefined, {}, { "pod-security.kubernetes.io/enforce": "baseline" }])("refuse %j", (labels) => {
    expect(check(labels)).toHaveLength(1);
  });

  it("take the one whose pods look at their nodes as it is", () => {
    const metadata = { name: "ms5-nodes", labels: nodeNamespaceLabels };
    expect(ask(restrictedNamespaces, "kubernetes:core/v1:Namespace", { metadata })).toEqual([]);
  });

  it("do not pass labels that are not known yet", () => {
    expect(check(unknown)).toEqual([later("label pod-security.kubernetes.io/enforce")]);
  });
});

describe("allowed regions", () => {
  const check = (location: Value, config: Values = {}) =>
    ask(allowedRegions, storageAccount, { location }, { config });

  it("are those of the European Union", () => {
    expect(euRegions).toEqual(expect.arrayContaining(["westeurope", "northeurope", "germanywestcentral"]));
    for (const region of ["westeurope", "West Europe", "global", undefined])
      expect(check(region)).toEqual([]);
  });

  it.each(["uksouth", "switzerlandnorth", "norwayeast", "eastus", "westeuropa"])("leave out %s", (region) => {
    expect(check(region)).toEqual([
      expect.stringMatching(/^location is ".*": set azure\.region to one that is allowed, e\.g\. /),
    ]);
  });

  it("are others where the pack is configured so", () => {
    expect(check("eastus", { regions: ["eastus"] })).toEqual([]);
    expect(check("westeurope", { regions: ["eastus"] })).toHaveLength(1);
  });

  it("do not pass a region that is not known yet", () => {
    expect(check(unknown)).toEqual([later("location")]);
  });

  it("are asked of Azure's resources only", () => {
    expect(ask(allowedRegions, "kubernetes:core/v1:ConfigMap", { location: "eastus" })).toEqual([]);
  });
});

describe("allowed sizes", () => {
  it("are those in our table", () => {
    expect(ask(allowedSizes, pool, { vmSize: "Standard_E4s_v5" })).toEqual([]);
    expect(ask(allowedSizes, aks, { agentPoolProfiles: [{ vmSize: "Standard_D4s_v5" }] })).toEqual([]);
  });

  it.each(["Standard_M416ms_v2", "standard e4s v5", undefined])("leave out %s", (vmSize) => {
    expect(ask(allowedSizes, pool, { vmSize })).toEqual([
      expect.stringMatching(/^vmSize is .*: set azure\.kubernetes\.systemPool\.size or databasePool\.size/),
    ]);
    expect(ask(allowedSizes, aks, { agentPoolProfiles: [{ vmSize }] })).toHaveLength(1);
    expect(
      ask(allowedSizes, "azure-native:compute:VirtualMachine", { hardwareProfile: { vmSize } }),
    ).toHaveLength(1);
    expect(
      ask(allowedSizes, "azure-native:compute:VirtualMachineScaleSet", { sku: { name: vmSize } }),
    ).toHaveLength(1);
  });

  it("do not pass a size that is not known yet", () => {
    expect(ask(allowedSizes, pool, { vmSize: unknown })).toEqual([later("vmSize")]);
    expect(ask(allowedSizes, aks, { agentPoolProfiles: unknown })).toEqual([later("agentPoolProfiles")]);
  });
});

describe("a budget", () => {
  const context = { environment: "prod", config: {} };
  const stack = (...types: string[]) =>
    budgetPresent.checkStack(
      types.map((type) => resource(type, {})),
      context,
    );

  it("is there when something in Azure is", () => {
    expect(stack(storageAccount, "azure-native:consumption:Budget")).toEqual([]);
    expect(stack("kubernetes:core/v1:Service", "pulumi:providers:azure-native")).toEqual([]);
    expect(stack(storageAccount)).toHaveLength(1);
    expect(stack("pulumi:pulumi:Stack", aks, storageAccount)).toHaveLength(1);
  });

  const alert = { enabled: true, threshold: 80, contactEmails: ["platform@example.com"] };
  const check = (notifications: Value) =>
    ask(budgetAlerts, "azure-native:consumption:Budget", { notifications });

  it("mails somebody in time", () => {
    expect(check({ late: { ...alert, threshold: 120 }, most: alert })).toEqual([]);
  });

  it.each([
    undefined,
    {},
    { off: { ...alert, enabled: false } },
    { late: { ...alert, threshold: 120 } },
    { nobody: { ...alert, contactEmails: [] } },
  ])("refuses one that does not: %j", (notifications) => {
    expect(check(notifications)).toEqual([expect.stringMatching(/mails anybody/)]);
  });

  it("does not pass what is not known yet", () => {
    expect(check(unknown)).toEqual([later("notifications")]);
    expect(check({ most: { ...alert, contactEmails: unknown } })).toEqual([later("notifications")]);
  });
});

describe("no plain secrets", () => {
  const check = (values: object, ...secrets: string[]) =>
    ask(noPlainSecrets, "postgresql:index/role:Role", values, { secrets });
  const fix = "wrap it in pulumi.secret(), or set it with `pulumi config set --secret`";

  it("takes a password that is a secret to Pulumi, also one that is not known yet", () => {
    expect(check({ password: "hunter2" }, "password")).toEqual([]);
    expect(check({ password: unknown }, "password")).toEqual([]);
    expect(check({ users: [{ token: "t" }] }, "users[0]")).toEqual([]);
  });

  it("refuses one in plain text, and does not show it", () => {
    const [message = ""] = check({ password: "hunter2" });
    expect(message).toBe(`password is a secret by its name and is in plain text: ${fix}`);
    expect(message).not.toContain("hunter2");
  });

  it.each([
    ["a variable of a container", { env: [{ name: "POSTGRES_PASSWORD", value: "hunter2" }] }],
    ["one of many", { passwords: { reader: "hunter2" } }],
    ["a private key", { "tls.crt": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI" }],
    ["a connection string", { target: "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc==" }],
    [
      "a link that opens a blob",
      { url: "https://a.blob.core.windows.net/b?sv=1&sig=abcdefghijklmnopqrstuvwxyz" },
    ],
    ["a URL", { target: "postgres://ms5:hunter2@blue-primary:5432/ms5" }],
    ["a token", { header: "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl" }],
  ])("finds it as %s", (_, values) => {
    expect(check(values)).toHaveLength(1);
  });

  it("knows where a whole resource is one", () => {
    const secret = (values: object, ...secrets: string[]) =>
      ask(noPlainSecrets, "kubernetes:core/v1:Secret", values, { secrets });
    expect(secret({ metadata: { name: "x" }, stringData: { user: "u" } }, "stringData")).toEqual([]);
    expect(secret({ stringData: { user: "u" } })).toHaveLength(1);
    expect(secret({ data: unknown })).toHaveLength(1);
    const kept = (...secrets: string[]) =>
      ask(noPlainSecrets, "azure-native:keyvault:Secret", { properties: { value: "v" } }, { secrets });
    expect(kept("properties.value")).toEqual([]);
    expect(kept()).toHaveLength(1);
  });

  it("does not take for one what only speaks of it", () => {
    const harmless = {
      passwordVersion: 1,
      encryptedPassword: true,
      secretName: "blue-credentials",
      topologyKey: "kubernetes.io/hostname",
      password_encryption: "scram-sha-256",
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: "registry" }],
      publicKeyPem: "-----BEGIN PUBLIC KEY-----\nMFkw",
      empty: { password: "" },
      url: "https://example.com/path?x=1",
    };
    expect(check(harmless)).toEqual([]);
    expect(["keyVersion", "tokenEndpoint", "passwordPolicy"].filter(isSecretName)).toEqual([]);
  });

  it("says of a value that is not known yet that it may be one in plain text", () => {
    expect(check({ password: unknown, name: unknown })).toEqual([
      later("password, and whether it is a secret,"),
    ]);
  });

  it("looks at the stack's outputs", () => {
    const outputs = (values: object, ...secrets: string[]) =>
      noPlainSecretsInOutputs.checkStack(
        [
          resource("pulumi:pulumi:Stack", values, { secrets }),
          resource(deployment, { password: "of another rule" }),
        ],
        { environment: "prod", config: {} },
      );
    const database = { host: "localhost", port: 5432 };
    expect(outputs({ database, passwords: { reader: unknown } }, "passwords.reader")).toEqual([]);
    expect(outputs({ database, passwords: { reader: "hunter2" } })).toHaveLength(1);
    expect(
      outputs({ adminToken: "t", kubeconfig: "client-key-data: x\ntoken: eyJhbGciOi.eyJzdWIiOiIx.x" }),
    ).not.toEqual([]);
  });
});
