import type * as pulumi from "@pulumi/pulumi";

/**
 * What follows from names alone about a resource, for whoever has to wait until it is there. A preview knows it, where the
 * resource's own outputs are known only after `up`: reviewers and policies see where things go.
 */
export function known<T>(resource: pulumi.Resource, value: T): pulumi.Output<T> {
  return resource.urn.apply(() => value);
}
