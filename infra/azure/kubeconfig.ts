/** How to reach an AKS cluster as whoever is logged in to Azure. */
import { parse, stringify } from "yaml";
import { z } from "zod";
import { UserError } from "../errors";

/** The application id of AKS in Entra ID, the same in every tenant ("kubelogin", `--server-id`). */
const aksServerId = "6dae42f8-4368-4678-94ff-3960e28e3630";

const given = z.object({
  clusters: z.array(
    z.object({
      cluster: z.object({ server: z.url(), "certificate-authority-data": z.string() }),
    }),
  ),
});

/**
 * A kubeconfig without a secret: `kubelogin` asks the Azure CLI who one is, each time. The one Azure hands out wants a
 * browser, which a pipeline doesn't have.
 *
 * @param name of cluster, user and context
 * @param tenant id of the Entra ID tenant
 * @param credentials what Azure hands out: a kubeconfig, as YAML in base64
 * @throws UserError when it is not what Azure says it is
 */
export function entraKubeconfig(name: string, tenant: string, credentials: string): string {
  const text = Buffer.from(credentials, "base64").toString("utf8");
  const cluster = given.safeParse(parse(text)).data?.clusters[0]?.cluster;
  if (cluster === undefined) {
    throw new UserError(`what Azure says of how to reach ${name} is no kubeconfig`, {
      fix: `look at it: az aks get-credentials --name ${name} --resource-group … --file -`,
    });
  }
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "kubelogin",
            args: ["get-token", "--login", "azurecli", "--tenant-id", tenant, "--server-id", aksServerId],
            installHint: "install kubelogin, and log in with `az login`",
            interactiveMode: "Never",
            provideClusterInfo: false,
          },
        },
      },
    ],
  });
}
