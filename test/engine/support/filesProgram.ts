import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";

/** A file: what it holds, and how its creation goes. */
export interface Spec {
  readonly value: unknown;
  /** Until this file exists, creation waits: the test says when. */
  readonly waitFor?: string;
  readonly fail?: boolean;
  readonly after?: string;
}
export type Specs = Readonly<Record<string, Spec>>;

interface FileInputs {
  path: string;
  value: unknown;
  waitFor?: string;
  fail?: boolean;
}

const provider: pulumi.dynamic.ResourceProvider<FileInputs, FileInputs> = {
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    return { changes: JSON.stringify(olds.value) !== JSON.stringify(news.value) };
  },
  async create(inputs) {
    const { existsSync, writeFileSync } = require("node:fs");
    if (inputs.waitFor !== undefined) writeFileSync(`${inputs.waitFor}.reached`, "");
    while (inputs.waitFor !== undefined && !existsSync(inputs.waitFor)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (inputs.fail) throw new Error("the disk said no");
    writeFileSync(inputs.path, JSON.stringify(inputs.value));
    return { id: inputs.path, outs: inputs };
  },
  async update(_id, _olds, news) {
    require("node:fs").writeFileSync(news.path, JSON.stringify(news.value));
    return { outs: news };
  },
  async read(id, props) {
    const value = JSON.parse(require("node:fs").readFileSync(id, "utf8"));
    return { id, props: { ...(props as FileInputs), value } };
  },
  async delete(id) {
    require("node:fs").rmSync(id, { force: true });
  },
};

class File extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: FileInputs, opts: pulumi.CustomResourceOptions) {
    super(provider, name, inputs, opts, "test", "File");
  }
}

/** One file resource per spec, in a component. */
export function filesProgram(folder: string, specs: Specs): PulumiFn {
  return async () => {
    const group = new pulumi.ComponentResource("ms5:test:Group", "group");
    const made = new Map<string, File>();
    for (const [name, { after, ...spec }] of Object.entries(specs)) {
      const earlier = after === undefined ? undefined : made.get(after);
      const dependsOn = earlier === undefined ? [] : [earlier];
      made.set(name, new File(name, { path: `${folder}/${name}`, ...spec }, { parent: group, dependsOn }));
    }
    return { folder, password: pulumi.secret("hunter2") };
  };
}
