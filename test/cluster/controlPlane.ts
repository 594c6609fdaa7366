// Programs of the machine that runs the control plane, and their settings. Pure.
import { type Daemon, initScript } from "./init";
import { type ClusterPlan, network } from "./plan";
import { machineMount } from "./tools";

/**
 * How soon the control plane sees that a node is gone. On a cluster of a cloud these are not ours to set, so nothing
 * of ours may depend on them; here they save tests from waiting 40 s.
 */
const nodeLoss = ["--node-monitor-grace-period=8s", "--node-monitor-period=1s"];

const pki = (file: string) => `${machineMount}/pki/${file}`;

export function controlInit(plan: ClusterPlan): string {
  return initScript([], [etcd(), apiServer(plan), controllerManager(), scheduler()]);
}

function etcd(): Daemon {
  return {
    name: "etcd",
    command: [
      "etcd",
      `--data-dir=${machineMount}/etcd`,
      "--listen-client-urls=http://127.0.0.1:2379",
      "--advertise-client-urls=http://127.0.0.1:2379",
      "--listen-peer-urls=http://127.0.0.1:2380",
      // The cluster doesn't outlive the machine it is on, so neither has this to.
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
  };
}

function apiServer(plan: ClusterPlan): Daemon {
  const { control } = plan;
  return {
    name: "kube-apiserver",
    command: [
      "kube-apiserver",
      `--advertise-address=${control.address}`,
      `--secure-port=${network.apiPort}`,
      "--etcd-servers=http://127.0.0.1:2379",
      `--service-cluster-ip-range=${network.services}`,
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--anonymous-auth=false",
      "--allow-privileged=true",
      `--client-ca-file=${pki("ca.crt")}`,
      `--tls-cert-file=${pki("apiserver.crt")}`,
      `--tls-private-key-file=${pki("apiserver.key")}`,
      `--kubelet-certificate-authority=${pki("ca.crt")}`,
      `--kubelet-client-certificate=${pki("kubelet-client.crt")}`,
      `--kubelet-client-key=${pki("kubelet-client.key")}`,
      "--kubelet-preferred-address-types=InternalIP",
      `--service-account-issuer=https://kubernetes.default.svc.${network.clusterDomain}`,
      `--service-account-key-file=${pki("service-accounts.key")}`,
      `--service-account-signing-key-file=${pki("service-accounts.key")}`,
      "--profiling=false",
    ],
  };
}

function controllerManager(): Daemon {
  const kubeconfig = `${machineMount}/controller-manager.kubeconfig`;
  return {
    name: "kube-controller-manager",
    command: [
      "kube-controller-manager",
      ...["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
        (flag) => `--${flag}=${kubeconfig}`,
      ),
      "--bind-address=127.0.0.1",
      "--use-service-account-credentials",
      `--service-account-private-key-file=${pki("service-accounts.key")}`,
      `--root-ca-file=${pki("ca.crt")}`,
      // The subnets of the nodes are in the plan.
      "--allocate-node-cidrs=false",
      "--leader-elect=false",
      ...nodeLoss,
    ],
  };
}

function scheduler(): Daemon {
  const kubeconfig = `${machineMount}/scheduler.kubeconfig`;
  return {
    name: "kube-scheduler",
    command: [
      "kube-scheduler",
      ...["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
        (flag) => `--${flag}=${kubeconfig}`,
      ),
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
    ],
  };
}
