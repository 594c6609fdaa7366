// Objects that components make alike: named in their namespace, below the component, and what is secret nowhere in the clear.
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

export class NamespaceObjects {
  constructor(
    private readonly parent: pulumi.Resource,
    private readonly namespace: pulumi.Input<string>,
  ) {}

  metadata(name: string) {
    return { name, namespace: this.namespace };
  }

  configMap(
    name: string,
    data: Record<string, pulumi.Input<string>>,
    dependsOn: pulumi.Resource[] = [],
  ): kubernetes.core.v1.ConfigMap {
    return new kubernetes.core.v1.ConfigMap(
      name,
      { metadata: this.metadata(name), data },
      { ...this.child, dependsOn },
    );
  }

  secret(name: string, stringData: Record<string, pulumi.Input<string>>): kubernetes.core.v1.Secret {
    return new kubernetes.core.v1.Secret(
      name,
      { metadata: this.metadata(name), stringData },
      { ...this.child, additionalSecretOutputs: ["stringData", "data"] },
    );
  }

  protected get child() {
    return { parent: this.parent };
  }
}
