/** The objects of one cluster: read, applied, deleted, listed. */
import { UserError } from "../../../infra/errors";
import type { Bag } from "../values";
import { type Api, isNotFound } from "./api";
import type { Reference, Type } from "./object";

/** How the API server serves a kind. */
interface Served {
  /** E.g. `statefulsets`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface ApplyOptions {
  readonly manager: string;
  /** Takes over the fields that others own. */
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** What becomes of the objects that a deleted one owns. */
export type Propagation = "Foreground" | "Background" | "Orphan";

export interface Selection {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** E.g. `involvedObject.uid=…`. */
  readonly fields?: string;
}

export class Objects {
  private readonly groups = new Map<string, Promise<ReadonlyMap<string, Served>>>();

  constructor(readonly api: Api) {}

  /** `undefined` when the API server has no such kind. */
  async served({ apiVersion, kind }: Type): Promise<Served | undefined> {
    const known = await this.group(apiVersion);
    const found = known.get(kind);
    // It may come with a custom resource definition of the same run.
    if (found === undefined) this.groups.delete(apiVersion);
    return found;
  }

  private group(apiVersion: string): Promise<ReadonlyMap<string, Served>> {
    let asked = this.groups.get(apiVersion);
    if (asked === undefined) {
      asked = this.askFor(apiVersion);
      this.groups.set(apiVersion, asked);
      asked.catch(() => this.groups.delete(apiVersion));
    }
    return asked;
  }

  private async askFor(apiVersion: string): Promise<ReadonlyMap<string, Served>> {
    try {
      const { body } = await this.api.json({ method: "GET", path: groupPath(apiVersion) });
      const resources = body.resources as unknown as { name: string; kind: string; namespaced: boolean }[];
      // `statefulsets/scale` and the like are views of the same object.
      const whole = resources.filter(({ name }) => !name.includes("/"));
      return new Map(whole.map(({ name, kind, namespaced }) => [kind, { plural: name, namespaced }]));
    } catch (error) {
      if (isNotFound(error)) return new Map();
      throw error;
    }
  }

  /** @throws UserError when the API server has no such kind */
  private async path(type: Type, namespace: string | undefined, name?: string): Promise<string> {
    const served = await this.served(type);
    if (served === undefined) {
      const { server } = this.api.connection;
      throw new UserError(`the API server ${server} has no ${type.kind} of ${type.apiVersion}`, {
        fix: "install the custom resource definition first, or use an apiVersion that `kubectl api-resources` lists",
      });
    }
    const inNamespace = served.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : "";
    return `${groupPath(type.apiVersion)}${inNamespace}/${served.plural}${name === undefined ? "" : `/${name}`}`;
  }

  /** `undefined` when there is none. */
  async get(at: Reference, signal?: AbortSignal): Promise<Bag | undefined> {
    try {
      const path = await this.path(at, at.namespace, at.name);
      return (await this.api.json({ method: "GET", path, signal })).body;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Server-side apply: makes the object, or makes what there is agree with it. */
  async apply(
    object: Bag,
    at: Reference,
    { manager, force, dryRun }: ApplyOptions,
  ): Promise<{ object: Bag; warnings: readonly string[] }> {
    const { body, warnings } = await this.api.json({
      method: "PATCH",
      path: await this.path(at, at.namespace, at.name),
      query: {
        fieldManager: manager,
        force: String(force),
        fieldValidation: "Strict",
        ...(dryRun ? { dryRun: "All" } : {}),
      },
      body: object,
      contentType: "application/apply-patch+yaml",
    });
    return { object: body, warnings };
  }

  /** Begins a deletion. What is gone already is fine. */
  async delete(at: Reference, propagation: Propagation): Promise<void> {
    try {
      const path = await this.path(at, at.namespace, at.name);
      await this.api.json({ method: "DELETE", path, body: { propagationPolicy: propagation } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async list(type: Type, namespace: string | undefined, selection: Selection): Promise<Bag[]> {
    const labels = Object.entries(selection.labels ?? {}).map(([name, value]) => `${name}=${value}`);
    const { body } = await this.api.json({
      method: "GET",
      path: await this.path(type, namespace),
      query: {
        ...(labels.length > 0 ? { labelSelector: labels.join(",") } : {}),
        ...(selection.fields === undefined ? {} : { fieldSelector: selection.fields }),
      },
    });
    return body.items as unknown as Bag[];
  }

  /** The last lines of a container's log. @param previous of the run before this one */
  async log(pod: Reference, container: string, lines: number, previous: boolean): Promise<string> {
    const path = `${await this.path(pod, pod.namespace, pod.name)}/log`;
    const query = { container, tailLines: String(lines), previous: String(previous) };
    return (await this.api.send({ method: "GET", path, query, retry: false })).text;
  }
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
