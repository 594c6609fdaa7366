// infra/monitoring/nodeExporter.ts - one pod a node that reads what the kernel says of CPU, memory, disks and network.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { monitoringPorts } from "./names";
import { answers, container, labels, podSecurity } from "./place";

export interface NodeExporterArgs {
  namespace: pulumi.Input<string>;
  accountName: pulumi.Input<string>;
  image: string;
}

const name = "node-exporter";
const host = "/host";

export class NodeExporter extends pulumi.ComponentResource {
  constructor(label: string, args: NodeExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ms5:monitoring:NodeExporter", label, {}, opts);
    const { nodeExporter: port } = monitoringPorts;
    new kubernetes.apps.v1.DaemonSet(
      name,
      {
        metadata: { name, namespace: args.namespace },
        spec: {
          selector: { matchLabels: labels(name) },
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "34%" } },
          template: {
            metadata: { labels: labels(name) },
            spec: {
              serviceAccountName: args.accountName,
              automountServiceAccountToken: false,
              securityContext: podSecurity,
              // Also where nodes are kept for the database.
              tolerations: [{ operator: "Exists", effect: "NoSchedule" }],
              containers: [
                container({
                  name,
                  image: args.image,
                  args: [
                    `--web.listen-address=:${port}`,
                    `--path.procfs=${host}/proc`,
                    `--path.sysfs=${host}/sys`,
                    // Few, and each by name: the default is some forty collectors and a thousand series a node.
                    "--collector.disable-defaults",
                    "--collector.cpu",
                    "--collector.diskstats",
                    "--collector.loadavg",
                    "--collector.meminfo",
                    "--collector.netdev",
                    "--collector.pressure",
                    "--collector.stat",
                    "--collector.time",
                    "--collector.vmstat",
                    "--collector.netdev.device-exclude=^(lo|veth.*|azv.*|cali.*|lxc.*)$",
                    "--collector.diskstats.device-exclude=^(ram|loop|fd|dm-|sr)\\d+$",
                  ],
                  ports: [{ name: "metrics", containerPort: port }],
                  resources: { requests: { cpu: "10m", memory: "24Mi" }, limits: { memory: "64Mi" } },
                  readinessProbe: { ...answers("/", port), periodSeconds: 5 },
                  livenessProbe: answers("/", port),
                  volumeMounts: [
                    { name: "proc", mountPath: `${host}/proc`, readOnly: true },
                    { name: "sys", mountPath: `${host}/sys`, readOnly: true },
                  ],
                }),
              ],
              volumes: [
                { name: "proc", hostPath: { path: "/proc" } },
                { name: "sys", hostPath: { path: "/sys" } },
              ],
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
