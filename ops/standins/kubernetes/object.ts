/** A Kubernetes object as JSON, and what all of them have in common. */
import { UserError } from "../../../infra/errors";
import { type Bag, isObject } from "../values";

/** The part of an object's metadata that matters here. */
export interface Metadata {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly uid: string }[];
  readonly managedFields?: readonly ManagedFields[];
}

/** What one manager owns of an object: the tree of its fields, as in `{"f:spec": {"f:replicas": {}}}`. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: Bag;
}

export function metadataOf(object: Bag): Metadata {
  return isObject(object.metadata) ? (object.metadata as Metadata) : {};
}

/** Which kind of object, e.g. `apps/v1` and `StatefulSet`. */
export interface Type {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Where an object is. Cluster-wide kinds have no namespace. */
export interface Reference extends Type {
  readonly namespace?: string;
  readonly name: string;
}

/**
 * The kind of object that a resource type stands for: `kubernetes:core/v1:Secret` is a `Secret` of `v1`.
 *
 * @throws UserError for types that are no objects, such as charts, or no whole ones
 */
export function typeOfToken(token: string): Type {
  const [, apiVersion = "", kind = ""] = token.split(":");
  // `ConfigMapPatch` and the like change a part of an object that somebody else has.
  const isWhole = apiVersion.includes("/") && kind !== "" && !kind.endsWith("Patch");
  if (!isWhole || apiVersion.startsWith("helm.sh/")) {
    throw new UserError(
      `the kubernetes stand-in has no ${token}: it knows whole objects of the API server only`,
      {
        fix: "write the objects out, or install the official plugin: pulumi plugin install resource kubernetes",
      },
    );
  }
  return { apiVersion: apiVersion.replace(/^core\//, ""), kind };
}

export function referenceOf(object: Bag): Reference {
  const { name, namespace } = metadataOf(object);
  return {
    apiVersion: String(object.apiVersion),
    kind: String(object.kind),
    ...(namespace === undefined ? {} : { namespace }),
    name: name ?? "",
  };
}

/** The id of a resource: `namespace/name`, or `name` of what is cluster-wide. */
export function idOf(object: Bag): string {
  const { name, namespace } = metadataOf(object);
  return namespace === undefined ? `${name}` : `${namespace}/${name}`;
}

export function parseId(id: string): { namespace?: string; name: string } {
  const [first = "", second] = id.split("/");
  return second === undefined ? { name: first } : { namespace: first, name: second };
}

/** `StatefulSet ms5-database/blue`, for people. */
export function describe({ kind, namespace, name }: Reference): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
