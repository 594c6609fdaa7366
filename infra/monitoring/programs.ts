// infra/monitoring/programs.ts - our own programs of monitoring, for pods: one file of JavaScript and the page's files, in a
// ConfigMap. So what runs is what the stack's repository has, in an image that anyone may use, and no image has to be built.

import type { types } from "@pulumi/kubernetes";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { bundlePrograms } from "./bundle";
import { container } from "./place";

export class Programs extends pulumi.ComponentResource {
  readonly configMap: kubernetes.core.v1.ConfigMap;
  /** Another one whenever a program changes. */
  readonly digest: string;

  constructor(
    name: string,
    { namespace }: { namespace: pulumi.Input<string> },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:monitoring:Programs", name, {}, opts);
    const { archive, digest } = bundlePrograms();
    this.digest = digest;
    this.configMap = new kubernetes.core.v1.ConfigMap(
      configMapName,
      {
        metadata: { name: configMapName, namespace, annotations: { "ms5.io/programs": digest } },
        binaryData: { [archiveFile]: archive },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

const configMapName = "monitoring-programs";
const archiveFile = "programs.json.gz";
const mount = "/ms5/programs";
/** Where the container unpacks them to: its own, and gone with it. */
const unpacked = "/tmp/programs";

/** Unpacks the archive, and becomes the program. Written for `node -e`: no image has it. */
const loader = `
const fs = require("node:fs"), path = require("node:path");
const files = JSON.parse(require("node:zlib").gunzipSync(fs.readFileSync("${mount}/${archiveFile}")));
for (const [name, text] of Object.entries(files)) {
  const file = path.join("${unpacked}", name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
require("${unpacked}/main.cjs").main(process.argv[1]);
`.trim();

/** Where the status page's files are in the pod. */
export const pageFolder = `${unpacked}/page`;

export const programVolumes = [
  { name: "programs", configMap: { name: configMapName } },
  { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
];

type Container = types.input.core.v1.Container;

export function programContainer(
  program: "exporter" | "api",
  args: Omit<Container, "env" | "volumeMounts"> & {
    name: string;
    image: string;
    env: Record<string, string>;
    volumeMounts: types.input.core.v1.VolumeMount[];
  },
): Container {
  return container({
    ...args,
    command: ["node", "-e", loader, program],
    env: Object.entries(args.env).map(([name, value]) => ({ name, value })),
    resources: { requests: { cpu: "25m", memory: "96Mi" }, limits: { memory: "384Mi" } },
    volumeMounts: [
      ...args.volumeMounts,
      { name: "programs", mountPath: mount, readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
    ],
  });
}
