// A namespace of a test's own in the test cluster, and a look at its objects past the stack.
import { randomBytes } from "node:crypto";
import { Api } from "../../../ops/standins/kubernetes/api";
import { readKubeconfig } from "../../../ops/standins/kubernetes/kubeconfig";
import { describe as named, type Reference, referenceOf } from "../../../ops/standins/kubernetes/object";
import { Objects } from "../../../ops/standins/kubernetes/objects";
import { untilGone } from "../../../ops/standins/kubernetes/waiting";
import type { Bag } from "../../../ops/standins/values";

export class TestNamespace {
  private constructor(
    readonly kubeconfig: string,
    readonly objects: Objects,
    readonly name: string,
  ) {}

  static async create(kubeconfig: string, prefix: string): Promise<TestNamespace> {
    const objects = new Objects(new Api(await readKubeconfig({ kubeconfig })));
    const created = new TestNamespace(kubeconfig, objects, `${prefix}-${randomBytes(4).toString("hex")}`);
    await created.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: created.name } });
    return created;
  }

  at(apiVersion: string, kind: string, name: string): Reference {
    return { apiVersion, kind, namespace: this.name, name };
  }

  /** @throws Error when there is none */
  async get(apiVersion: string, kind: string, name: string): Promise<Bag> {
    const at = this.at(apiVersion, kind, name);
    const found = await this.objects.get(at);
    if (found === undefined) throw new Error(`there is no ${named(at)}`);
    return found;
  }

  /** Applies as somebody else than the stack would. */
  async apply(object: Bag, manager = "somebody", force = true): Promise<Bag> {
    const applied = await this.objects.apply(object, referenceOf(object), { manager, force, dryRun: false });
    return applied.object;
  }

  async delete(at: Reference): Promise<void> {
    const uid = await this.objects.delete(at, "Foreground");
    if (uid === undefined) return;
    const patience = { timeoutMs: 90_000, signal: new AbortController().signal, tell: () => undefined };
    await untilGone(this.objects, at, uid, patience);
  }

  remove(): Promise<void> {
    return this.delete({ apiVersion: "v1", kind: "Namespace", name: this.name });
  }
}
