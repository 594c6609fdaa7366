// Where the API server is. Policies see packets after Services were translated, so its Service's address is of no use;
// and its pods, where it has any, are on the host's network, which no selector matches. Addresses are all there is.
import * as kubernetes from "@pulumi/kubernetes";
import type { output } from "@pulumi/kubernetes/types";
import type * as pulumi from "@pulumi/pulumi";
import type { Endpoints } from "./flows";

/** Read from the cluster at each preview and `up`: a control plane that moved shows as a change of the policies. */
export function findApiServer(opts: pulumi.CustomResourceOptions): pulumi.Output<Endpoints> {
  const slice = kubernetes.discovery.v1.EndpointSlice.get("api-server", "default/kubernetes", opts);
  return slice.endpoints.apply((endpoints) => slice.ports.apply((ports) => endpointsOf(endpoints, ports)));
}

/** In an order of its own: the API server keeps none. */
export function endpointsOf(
  endpoints: readonly Pick<output.discovery.v1.Endpoint, "addresses">[],
  ports: readonly Pick<output.discovery.v1.EndpointPort, "name" | "port">[],
): Endpoints {
  const { port } = ports.find(({ name }) => name === "https") ?? {};
  return { addresses: endpoints.flatMap(({ addresses }) => addresses).sort(), port: port ?? 443 };
}

/** The same from the config, `ADDRESS:PORT` each: for previews without the cluster. They share the first one's port. */
export function statedApiServer(stated: readonly string[]): Endpoints {
  const places = stated.map((text) => text.split(":"));
  return { addresses: places.map(([address = ""]) => address).sort(), port: Number(places[0]?.[1]) };
}
