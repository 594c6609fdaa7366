// Pods for tests of the cluster itself: three small web servers, each on a node and with a volume of its own.
import { databaseTag } from "../../cluster/images/database";
import { runHost } from "../../cluster/machine";
import { type PodPlace, processesOfPod } from "../../cluster/pods";

export const namespace = "try";
const labels = { app: "web" };

/** Says who it is and from which address it was asked. */
const server = `
import http.server, socket, socketserver
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{socket.gethostname()} sees {self.client_address[0]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", 8000), Handler).serve_forever()
`;

/** Objects of the namespace: StatefulSet `web` with a headless Service, and Service `front` on port 80. */
export function webPods(): object {
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      },
      service("web", { clusterIP: "None", ports: [{ port: 8000 }] }),
      service("front", { ports: [{ port: 80, targetPort: 8000 }] }),
      {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "web", namespace },
        spec: {
          serviceName: "web",
          replicas: 3,
          podManagementPolicy: "Parallel",
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: podSpec },
          volumeClaimTemplates: [
            {
              metadata: { name: "data" },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "300Mi" } } },
            },
          ],
        },
      },
    ],
  };
}

function service(name: string, spec: object): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector: labels, ...spec },
  };
}

const podSpec = {
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 1,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 1000,
    runAsGroup: 1000,
    fsGroup: 1000,
    seccompProfile: { type: "RuntimeDefault" },
  },
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: labels }, topologyKey: "kubernetes.io/hostname" },
      ],
    },
  },
  containers: [
    {
      name: "web",
      image: databaseTag,
      imagePullPolicy: "Never",
      command: ["python3", "-c", server],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      readinessProbe: { tcpSocket: { port: 8000 }, periodSeconds: 1 },
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    },
  ],
};

const client = `
import ssl, sys, urllib.error, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=1.5, context=ssl._create_unverified_context()) as answer:
        print(answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code)
`;

/**
 * What the pod is answered. Asked from inside it, but not through the API server or the pod's node: so it works while
 * those are cut off or frozen.
 *
 * @throws Error when there is no answer within a second and a half
 */
export async function fetchFrom(pod: PodPlace, url: string): Promise<string> {
  const web = (await processesOfPod(pod)).find(({ command }) => command.startsWith("python3 "));
  if (web === undefined) throw new Error(`${pod.name} does not run`);
  const enter = ["--target", String(web.pid), "--mount", "--net", "--uts"];
  return (await runHost("nsenter", [...enter, "/usr/bin/python3", "-c", client, url])).trim();
}

export async function reaches(pod: PodPlace, url: string): Promise<boolean> {
  return fetchFrom(pod, url).then(
    () => true,
    () => false,
  );
}
