// Programs of a node and their settings. Pure.
import { busyboxTag } from "./images/busybox";
import { initScript } from "./init";
import { type NodePlan, network } from "./plan";
import { machineMount } from "./tools";

const containerdSocket = "/run/containerd/containerd.sock";

export function nodeInit(node: NodePlan): string {
  const setup = [
    "sysctl -qw net.ipv4.ip_forward=1",
    // Between pods of different nodes packets come in where no route goes back out before the pod is there.
    "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0",
  ];
  return initScript(setup, [
    { name: "containerd", command: ["containerd", `--config=${machineMount}/containerd.toml`] },
    {
      name: "kubelet",
      command: [
        "kubelet",
        `--config=${machineMount}/kubelet.json`,
        `--kubeconfig=${machineMount}/kubelet.kubeconfig`,
        `--root-dir=${machineMount}/kubelet`,
        `--node-ip=${node.address}`,
        `--hostname-override=${node.name}`,
        `--node-labels=topology.kubernetes.io/zone=${node.zone},topology.kubernetes.io/region=local`,
      ],
    },
    { name: "kube-proxy", command: ["kube-proxy", `--config=${machineMount}/kube-proxy.json`] },
  ]);
}

/** Files of a node's folder by name. */
export function nodeFiles(node: NodePlan): Readonly<Record<string, string>> {
  return {
    "containerd.toml": containerdConfig(),
    "kubelet.json": json(kubeletConfig(node)),
    "kube-proxy.json": json(proxyConfig(node)),
    "cni/10-pods.conflist": json(podNetwork(node)),
  };
}

export function containerdConfig(): string {
  return `version = 2
root = "${machineMount}/containerd"
state = "/run/containerd"
[grpc]
address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${busyboxTag}"
# Without the right to lower it (a container, a sandbox) runc would die of trying.
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${machineMount}/cni"
`;
}

function kubeletConfig(node: NodePlan): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    address: node.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${machineMount}/pki/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${machineMount}/pki/kubelet.crt`,
    tlsPrivateKeyFile: `${machineMount}/pki/kubelet.key`,
    clusterDomain: network.clusterDomain,
    clusterDNS: [network.dnsService],
    // Names outside the cluster lead nowhere, and the host's resolver is not ours to ask.
    resolvConf: "/dev/null",
    cgroupDriver: "cgroupfs",
    // Without a part of its own each kubelet would take the others' pods for leftovers and kill them.
    cgroupRoot: `/${node.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    podLogsDir: `${machineMount}/pod-logs`,
    volumePluginDir: `${machineMount}/volume-plugins`,
    // How soon the others notice: see controlPlane.ts.
    nodeStatusUpdateFrequency: "2s",
    nodeLeaseDurationSeconds: 4,
    // All nodes report the memory and the disk of one machine; evicting pods would give nobody any.
    evictionHard: { "memory.available": "1Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    maxPods: 60,
    // Fast to say what tests wait for.
    syncFrequency: "10s",
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    oomScoreAdj: 0,
    shutdownGracePeriod: "0s",
  };
}

function proxyConfig(node: NodePlan): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: `${machineMount}/kube-proxy.kubeconfig` },
    hostnameOverride: node.name,
    bindAddress: node.address,
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    mode: "nftables",
    clusterCIDR: network.pods,
    // A failover shall not wait for a round of this.
    nftables: { minSyncPeriod: "0s", syncPeriod: "30s" },
    // Only the kernel's first network may set these.
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}

/** Each pod is routed to, no bridge between: so every packet of a pod passes the node's firewall. */
function podNetwork(node: NodePlan): object {
  return {
    cniVersion: "1.0.0",
    name: `pods-of-${node.name}`,
    plugins: [
      {
        type: "ptp",
        // Pods are seen under their own addresses, which network policies go by.
        ipMasq: false,
        ipam: {
          type: "host-local",
          dataDir: "/run/cni",
          ranges: [[{ subnet: node.podSubnet }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
    ],
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
