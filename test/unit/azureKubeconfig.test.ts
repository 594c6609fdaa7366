import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entraKubeconfig } from "../../infra/azure/kubeconfig";
import { writeKubeconfig } from "../../infra/azure/kubeconfigFile";

/** As AKS hands it out for users of Entra ID. */
const handedOut = `
apiVersion: v1
kind: Config
clusters:
- name: aks-acme-ms5-prod
  cluster:
    certificate-authority-data: Q0E=
    server: https://aks-acme.hcp.westeurope.azmk8s.io:443
users:
- name: clusterUser_rg_aks
  user:
    exec:
      command: kubelogin
      args: [get-token, --login, devicecode]
`;
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("the kubeconfig of an AKS cluster", () => {
  it("holds no secret: the Azure CLI says who one is", () => {
    expect(
      entraKubeconfig("aks-acme-ms5-prod", "22222222-2222-4222-8222-222222222222", base64(handedOut)),
    ).toMatchInlineSnapshot(`
      "apiVersion: v1
      kind: Config
      current-context: aks-acme-ms5-prod
      clusters:
        - name: aks-acme-ms5-prod
          cluster:
            server: https://aks-acme.hcp.westeurope.azmk8s.io:443
            certificate-authority-data: Q0E=
      contexts:
        - name: aks-acme-ms5-prod
          context:
            cluster: aks-acme-ms5-prod
            user: aks-acme-ms5-prod
      users:
        - name: aks-acme-ms5-prod
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1beta1
              command: kubelogin
              args:
                - get-token
                - --login
                - azurecli
                - --tenant-id
                - 22222222-2222-4222-8222-222222222222
                - --server-id
                - 6dae42f8-4368-4678-94ff-3960e28e3630
              installHint: install kubelogin, and log in with \`az login\`
              interactiveMode: Never
              provideClusterInfo: false
      "
    `);
  });

  it.each(["", "clusters: []", "clusters: [{cluster: {server: nowhere}}]"])("is not made of %j", (text) => {
    expect(() => entraKubeconfig("aks", "t", base64(text))).toThrow(
      "what Azure says of how to reach aks is no kubeconfig",
    );
  });

  it("is written for its owner only, whole or not at all", () => {
    const folder = mkdtempSync(join(tmpdir(), "ms5-kubeconfig-"));
    const file = join(folder, "deep", "prod");
    try {
      writeKubeconfig(file, "one");
      writeKubeconfig(file, "two");
      expect(readFileSync(file, "utf8")).toBe("two");
      expect(statSync(file).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
