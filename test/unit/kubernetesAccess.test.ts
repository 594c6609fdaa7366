import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { endpointsOf } from "../../infra/kubernetes/apiServer";
import type { Addresses } from "../../infra/kubernetes/flows";
import { Namespaces } from "../../infra/kubernetes/namespaces";
import { NetworkPolicies } from "../../infra/kubernetes/networkPolicyResources";
import { DatabaseAccount, DiscoveryAccount, PowerlessAccount } from "../../infra/kubernetes/serviceAccount";

/** The Kubernetes objects that `declare` comes to, as `NAMESPACE KIND NAME`, and what each holds. */
async function declared(declare: () => void): Promise<Map<string, Record<string, unknown>>> {
  const objects = new Map<string, Record<string, unknown>>();
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      if (type.startsWith("kubernetes:")) {
        const { namespace, name: itsName } = inputs.metadata;
        objects.set(`${namespace ?? "-"} ${type.split(":").at(-1)} ${itsName}`, inputs);
      }
      return { id: `${name}-id`, state: inputs };
    },
    call: () => ({}),
  });
  declare();
  // Waits for what is still being registered.
  await pulumi.runtime.disconnect();
  return objects;
}

const apiServer = { addresses: ["10.1.2.3"], port: 6443 };

const policies = (others: Omit<Addresses, "apiServer">) =>
  declared(
    () =>
      new NetworkPolicies("policies", {
        namespaces: new Namespaces("namespaces", { watched: false }),
        apiServer,
        others,
        managed: false,
      }),
  );

describe("what is declared", () => {
  it("is both namespaces, held to Pod Security restricted", async () => {
    const objects = await declared(() => new Namespaces("namespaces", { watched: false }));
    expect([...objects.keys()].sort()).toEqual(["- Namespace ms5-database", "- Namespace ms5-pooler"]);
    for (const namespace of objects.values()) {
      expect(namespace).toMatchObject({
        metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      });
    }
  });

  it("is two namespaces more where something watches, of which one may look at its nodes", async () => {
    const objects = await declared(() => new Namespaces("namespaces", { watched: true }));
    const levels = [...objects].map(([key, { metadata }]) => [
      key,
      (metadata as { labels: Record<string, string> }).labels["pod-security.kubernetes.io/enforce"],
    ]);
    expect(Object.fromEntries(levels)).toEqual({
      "- Namespace ms5-database": "restricted",
      "- Namespace ms5-pooler": "restricted",
      "- Namespace ms5-monitoring": "restricted",
      "- Namespace ms5-nodes": "privileged",
    });
  });

  it("is an account that looks at pods of two namespaces, and at nothing else", async () => {
    const objects = await declared(
      () =>
        new DiscoveryAccount("prometheus", {
          namespace: "ms5-monitoring",
          looksInto: { pooler: "ms5-pooler", nodes: "ms5-nodes" },
        }),
    );
    expect([...objects.keys()].sort()).toEqual([
      "ms5-monitoring ServiceAccount prometheus",
      "ms5-nodes Role prometheus-looks",
      "ms5-nodes RoleBinding prometheus-looks",
      "ms5-pooler Role prometheus-looks",
      "ms5-pooler RoleBinding prometheus-looks",
    ]);
    expect(objects.get("ms5-nodes Role prometheus-looks")).toMatchObject({
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
    });
    expect(objects.get("ms5-nodes RoleBinding prometheus-looks")).toMatchObject({
      subjects: [{ kind: "ServiceAccount", name: "prometheus", namespace: "ms5-monitoring" }],
    });
  });

  it("is every policy, in its namespace, with its reason", async () => {
    const objects = await policies({});
    expect([...objects.keys()].filter((key) => key.includes("NetworkPolicy")).sort()).toMatchInlineSnapshot(
      `
      [
        "ms5-database NetworkPolicy database-to-api-server",
        "ms5-database NetworkPolicy database-to-database",
        "ms5-database NetworkPolicy database-to-dns",
        "ms5-database NetworkPolicy default-deny",
        "ms5-database NetworkPolicy pooler-to-database",
        "ms5-pooler NetworkPolicy client-to-pooler",
        "ms5-pooler NetworkPolicy default-deny",
        "ms5-pooler NetworkPolicy pooler-to-database",
        "ms5-pooler NetworkPolicy pooler-to-dns",
      ]
    `,
    );
    expect(objects.get("ms5-database NetworkPolicy database-to-api-server")).toMatchInlineSnapshot(
      `
      {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
          "annotations": {
            "ms5.io/why": "Patroni's leader lock",
          },
          "name": "database-to-api-server",
          "namespace": "ms5-database",
        },
        "spec": {
          "egress": [
            {
              "ports": [
                {
                  "port": 6443,
                  "protocol": "TCP",
                },
              ],
              "to": [
                {
                  "ipBlock": {
                    "cidr": "10.1.2.3/32",
                  },
                },
              ],
            },
          ],
          "podSelector": {
            "matchLabels": {
              "app.kubernetes.io/name": "database",
            },
          },
          "policyTypes": [
            "Egress",
          ],
        },
      }
    `,
    );
  });

  it("is every policy of backups too, where there are any, and of identities where they open the storage", async () => {
    const storage = { addresses: ["10.0.0.9/32"], port: 443 };
    const identity = { addresses: ["169.254.169.254"], port: 80 };
    const added = async (others: Omit<Addresses, "apiServer">) => {
      const without = await policies({});
      return [...(await policies(others)).keys()].filter((key) => !without.has(key)).sort();
    };
    expect(await added({ storage })).toMatchInlineSnapshot(`
      [
        "ms5-database NetworkPolicy backup-to-database",
        "ms5-database NetworkPolicy backup-to-dns",
        "ms5-database NetworkPolicy clone-to-dns",
        "ms5-database NetworkPolicy clone-to-storage",
        "ms5-database NetworkPolicy database-from-backup",
        "ms5-database NetworkPolicy database-from-drill",
        "ms5-database NetworkPolicy database-to-storage",
        "ms5-database NetworkPolicy drill-to-database",
        "ms5-database NetworkPolicy drill-to-dns",
        "ms5-database NetworkPolicy drill-to-storage",
      ]
    `);
    expect(await added({ storage, identity })).toMatchInlineSnapshot(`
      [
        "ms5-database NetworkPolicy backup-to-database",
        "ms5-database NetworkPolicy backup-to-dns",
        "ms5-database NetworkPolicy clone-to-dns",
        "ms5-database NetworkPolicy clone-to-identity",
        "ms5-database NetworkPolicy clone-to-storage",
        "ms5-database NetworkPolicy database-from-backup",
        "ms5-database NetworkPolicy database-from-drill",
        "ms5-database NetworkPolicy database-to-identity",
        "ms5-database NetworkPolicy database-to-storage",
        "ms5-database NetworkPolicy drill-to-database",
        "ms5-database NetworkPolicy drill-to-dns",
        "ms5-database NetworkPolicy drill-to-identity",
        "ms5-database NetworkPolicy drill-to-storage",
      ]
    `);
    const objects = await policies({ storage, identity });
    expect(objects.get("ms5-database NetworkPolicy database-to-storage")).toMatchObject({
      metadata: { annotations: { "ms5.io/why": "the log's archive, and backups" } },
      spec: {
        egress: [{ to: [{ ipBlock: { cidr: "10.0.0.9/32" } }], ports: [{ port: 443, protocol: "TCP" }] }],
      },
    });
  });

  it("is an account for each workload, of which only the database's may ask for anything", async () => {
    const objects = await declared(() => {
      new DatabaseAccount("database", { namespace: "ms5-database" });
      new PowerlessAccount("pooler", { namespace: "ms5-pooler" });
    });
    expect(Object.fromEntries(objects)).toMatchInlineSnapshot(`
      {
        "ms5-database Role database": {
          "apiVersion": "rbac.authorization.k8s.io/v1",
          "kind": "Role",
          "metadata": {
            "name": "database",
            "namespace": "ms5-database",
          },
          "rules": [
            {
              "apiGroups": [
                "",
              ],
              "resources": [
                "configmaps",
              ],
              "verbs": [
                "create",
                "get",
                "list",
                "patch",
                "watch",
              ],
            },
            {
              "apiGroups": [
                "",
              ],
              "resources": [
                "pods",
              ],
              "verbs": [
                "list",
                "patch",
                "watch",
              ],
            },
          ],
        },
        "ms5-database RoleBinding database": {
          "apiVersion": "rbac.authorization.k8s.io/v1",
          "kind": "RoleBinding",
          "metadata": {
            "name": "database",
            "namespace": "ms5-database",
          },
          "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "database",
          },
          "subjects": [
            {
              "kind": "ServiceAccount",
              "name": "database",
              "namespace": "ms5-database",
            },
          ],
        },
        "ms5-database ServiceAccount database": {
          "apiVersion": "v1",
          "kind": "ServiceAccount",
          "metadata": {
            "name": "database",
            "namespace": "ms5-database",
          },
        },
        "ms5-pooler ServiceAccount pooler": {
          "apiVersion": "v1",
          "automountServiceAccountToken": false,
          "kind": "ServiceAccount",
          "metadata": {
            "name": "pooler",
            "namespace": "ms5-pooler",
          },
        },
      }
    `);
  });
});

describe("where the API server is", () => {
  it("is every address of its EndpointSlice, in an order that stays", () => {
    const endpoints = [{ addresses: ["10.0.0.9"] }, { addresses: ["10.0.0.10"] }];
    const ports = [
      { name: "metrics", port: 1 },
      { name: "https", port: 6443 },
    ];
    expect(endpointsOf(endpoints, ports)).toEqual({ addresses: ["10.0.0.10", "10.0.0.9"], port: 6443 });
    expect(endpointsOf([...endpoints].reverse(), ports)).toEqual(endpointsOf(endpoints, ports));
  });
});
