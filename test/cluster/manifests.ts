// What every cluster has from the start: names (DNS) and volumes. Pure.
import { corednsTag } from "./images/coredns";
import { network } from "./plan";

/** The class of volumes that volumes/agent.ts makes, also the default. */
export const storageClassName = "local";
export const provisionerName = "ms5.local/volumes";

const dnsLabels = { "k8s-app": "kube-dns" };
const metadata = (name: string, namespace?: string) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

export function manifests(): readonly object[] {
  return [storageClass(), ...dns()];
}

function storageClass(): object {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      ...metadata(storageClassName),
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: provisionerName,
    volumeBindingMode: "WaitForFirstConsumer",
    reclaimPolicy: "Delete",
    allowVolumeExpansion: true,
  };
}

function dns(): readonly object[] {
  const system = metadata("coredns", "kube-system");
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: system },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: metadata("system:coredns"),
      rules: [
        { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: metadata("system:coredns"),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
      subjects: [{ kind: "ServiceAccount", name: "coredns", namespace: "kube-system" }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: system, data: { Corefile: corefile } },
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { ...system, labels: dnsLabels },
      spec: {
        selector: { matchLabels: dnsLabels },
        template: { metadata: { labels: dnsLabels }, spec: dnsPod },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata("kube-dns", "kube-system"), labels: dnsLabels },
      spec: {
        clusterIP: network.dnsService,
        selector: dnsLabels,
        // Each node asks its own: a node that is gone takes no other's names with it.
        internalTrafficPolicy: "Local",
        ports: ["UDP", "TCP"].map((protocol) => ({
          name: protocol.toLowerCase(),
          port: 53,
          targetPort: 53,
          protocol,
        })),
      },
    },
  ];
}

/** Answers live as short as the tests want changes seen. */
const corefile = `.:53 {
    errors
    health :8080
    ready :8181
    kubernetes ${network.clusterDomain} in-addr.arpa {
        pods insecure
        ttl 2
    }
    cache 2
}
`;

const dnsPod = {
  serviceAccountName: "coredns",
  priorityClassName: "system-node-critical",
  dnsPolicy: "Default",
  tolerations: [{ operator: "Exists" }],
  containers: [
    {
      name: "coredns",
      image: corednsTag,
      imagePullPolicy: "Never",
      args: ["-conf", "/etc/coredns/Corefile"],
      ports: [{ containerPort: 53, protocol: "UDP" }],
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
      readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
      livenessProbe: { httpGet: { path: "/health", port: 8080 }, periodSeconds: 10, failureThreshold: 6 },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
      },
      volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
    },
  ],
  volumes: [{ name: "config", configMap: { name: "coredns" } }],
};
