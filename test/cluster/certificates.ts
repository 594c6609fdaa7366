// The cluster's own certificate authority, and a key and certificate for each who takes part.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CertificateOptions,
  certificateRequest,
  type Subject,
  selfSigned,
  signedBy,
} from "../../ops/standins/tls/certificates";
import { type ClusterPlan, machinesOf, network } from "./plan";

/** A cluster lives for hours; who forgets one for a month gets a fresh one. */
const validityHours = 24 * 30;

export interface Identity {
  readonly key: string;
  readonly certificate: string;
}

export interface Authority {
  readonly certificate: string;
  issue(subject: Subject, names?: { dns?: readonly string[]; ip?: readonly string[] }): Identity;
}

/** A new authority; its key exists in this process only. */
export function newAuthority(): Authority {
  const key = newKey();
  const { certPem } = selfSigned(key, { commonName: "ms5 test cluster" }, noNames, {
    ...options(["cert_signing", "digital_signature"]),
    isCa: true,
  });
  return {
    certificate: certPem,
    issue(subject, { dns = [], ip = [] } = {}) {
      const own = newKey();
      const names = { dnsNames: dns, ipAddresses: ip, uris: [] };
      const { certRequestPem } = certificateRequest(own, subject, names);
      const uses = ["digital_signature", "server_auth", "client_auth"];
      return {
        key: pemOf(own),
        certificate: signedBy({ certPem, key }, certRequestPem, options(uses)).certPem,
      };
    },
  };
}

const noNames = { dnsNames: [], ipAddresses: [], uris: [] };

function options(uses: readonly string[]): CertificateOptions {
  return {
    // Clocks inside are the host's, but a certificate of this very second is refused here and there.
    start: new Date(Date.now() - 60_000),
    validityHours,
    uses,
    isCa: false,
    maxPathLength: undefined,
    setSubjectKeyId: true,
    setAuthorityKeyId: false,
  };
}

/** What the service account tokens are signed with. */
export function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** In the form that the API server also takes its token key in. */
export function pemOf(key: KeyObject): string {
  return key.export({ type: "sec1", format: "pem" }).toString();
}

/** Names under which each part of Kubernetes logs in, by the rules of its built-in roles. */
const logins = {
  admin: { commonName: "ms5-admin", organization: "system:masters" },
  "controller-manager": { commonName: "system:kube-controller-manager" },
  scheduler: { commonName: "system:kube-scheduler" },
  "kubelet-client": { commonName: "ms5-kubelet-client", organization: "system:masters" },
} as const;

/**
 * Writes everything into the machines' folders: `pki/` with keys and certificates, `NAME.kubeconfig` for those who log
 * in to the API server, and the kubeconfig of the person outside.
 */
export async function writeIdentities(plan: ClusterPlan): Promise<void> {
  const authority = newAuthority();
  for (const machine of machinesOf(plan)) {
    await mkdir(join(machine.folder, "pki"), { recursive: true });
    await writeFile(join(machine.folder, "pki/ca.crt"), authority.certificate);
  }
  const { control } = plan;
  const pki = (name: string, identity: Identity) =>
    writeIdentity(join(control.folder, "pki", name), identity);
  await pki(
    "apiserver",
    authority.issue(
      { commonName: "kube-apiserver" },
      {
        dns: ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"],
        ip: [control.address, plan.hostLink.cluster, network.apiService, "127.0.0.1"],
      },
    ),
  );
  await pki("kubelet-client", authority.issue(logins["kubelet-client"]));
  await writeFile(join(control.folder, "pki/service-accounts.key"), pemOf(newKey()), { mode: 0o600 });

  const inside = `https://${control.address}:${network.apiPort}`;
  const kubeconfig = (file: string, server: string, user: Identity) =>
    writeFile(file, kubeconfigText(plan.cgroup, server, authority.certificate, user), { mode: 0o600 });
  for (const name of ["controller-manager", "scheduler"] as const) {
    await kubeconfig(join(control.folder, `${name}.kubeconfig`), inside, authority.issue(logins[name]));
  }
  for (const node of plan.nodes) {
    const kubelet = { commonName: `system:node:${node.name}`, organization: "system:nodes" };
    await writeIdentity(
      join(node.folder, "pki/kubelet"),
      authority.issue(kubelet, { dns: [node.name], ip: [node.address] }),
    );
    await kubeconfig(join(node.folder, "kubelet.kubeconfig"), inside, authority.issue(kubelet));
    await kubeconfig(
      join(node.folder, "kube-proxy.kubeconfig"),
      inside,
      authority.issue({ commonName: "system:kube-proxy" }),
    );
  }
  const outside = `https://${plan.hostLink.cluster}:${network.apiPort}`;
  await kubeconfig(plan.kubeconfig, outside, authority.issue(logins.admin));
}

async function writeIdentity(path: string, { key, certificate }: Identity): Promise<void> {
  await writeFile(`${path}.crt`, certificate);
  await writeFile(`${path}.key`, key, { mode: 0o600 });
}

function kubeconfigText(name: string, server: string, authority: string, user: Identity): string {
  const data = (pem: string) => Buffer.from(pem).toString("base64");
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": name,
      clusters: [{ name, cluster: { server, "certificate-authority-data": data(authority) } }],
      users: [
        {
          name,
          user: { "client-certificate-data": data(user.certificate), "client-key-data": data(user.key) },
        },
      ],
      contexts: [{ name, context: { cluster: name, user: name } }],
    },
    undefined,
    2,
  );
}
