// A network as a cluster's, without a cluster: nodes and pods that are network namespaces, with programs in them that
// talk to each other. Pods are attached as CNI's ptp does it, each by a link and a route of its own. Namespaces and links
// end with the programs that hold them, however the test ends.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ProberAnswer, ProberRequest } from "./prober.mjs";

export const nodeNames = ["one", "two"] as const;
export type NodeName = (typeof nodeNames)[number];

/** Which node each pod is on. */
export const podNodes = { web: "one", api: "one", db: "two", job: "two" } as const;
export type PodName = keyof typeof podNodes;
export const podNames = Object.keys(podNodes) as PodName[];

/** `outside` is a machine that both nodes can reach, and no pod. */
export type PlaceName = NodeName | PodName | "outside";

export const ports = [
  { protocol: "TCP", port: 8080 },
  { protocol: "TCP", port: 9090 },
  { protocol: "UDP", port: 8080 },
] as const;

/** IPv4 and IPv6. */
export function addressesOf(name: PlaceName): readonly [string, string] {
  if (name === "outside") return ["10.250.0.9", "fd00:250::9"];
  if (name === "one" || name === "two") return [`10.250.0.${numberOf(name)}`, `fd00:250::${numberOf(name)}`];
  const node = numberOf(podNodes[name]);
  const host = podNames.indexOf(name) + 2;
  return [`10.251.${node}.${host}`, `fd00:251:${node}::${host}`];
}

function numberOf(node: NodeName): number {
  return nodeNames.indexOf(node) + 1;
}

/** All places, listening on all ports, each reaching every other. */
export async function startNetwork(): Promise<Record<PlaceName, Place>> {
  const names = ["outside", ...nodeNames, ...podNames] as const;
  const places = Object.fromEntries(names.map((name) => [name, new Place()])) as Record<PlaceName, Place>;
  await Promise.all(Object.values(places).map((place) => place.listen(ports)));
  const { outside } = places;
  outside.ip("link add br0 type bridge", "link set br0 up", ...own("outside", 24, 64, "br0"));
  for (const node of nodeNames) {
    places[node].run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    outside.ip(
      `link add ${node} type veth peer name eth0 netns ${places[node].pid}`,
      `link set ${node} master br0 up`,
    );
    places[node].ip("link set eth0 up", ...own(node, 24, 64, "eth0"));
  }
  for (const pod of podNames) attach(pod, places);
  return places;
}

function attach(pod: PodName, places: Record<PlaceName, Place>): void {
  const node = podNodes[pod];
  const number = numberOf(node);
  const [v4, v6] = addressesOf(pod);
  const [gateway4, gateway6] = [`10.251.${number}.1`, `fd00:251:${number}::1`];
  places[node].ip(
    `link add ${pod} type veth peer name eth0 netns ${places[pod].pid}`,
    `link set ${pod} up`,
    `addr add ${gateway4}/32 dev ${pod}`,
    `addr add ${gateway6}/128 dev ${pod} nodad`,
    `route add ${v4}/32 dev ${pod}`,
    `route add ${v6}/128 dev ${pod}`,
  );
  places[pod].ip(
    "link set lo up",
    "link set eth0 up",
    ...own(pod, 32, 128, "eth0"),
    `route add ${gateway4} dev eth0`,
    `route add default via ${gateway4}`,
    `route add ${gateway6} dev eth0`,
    `route add default via ${gateway6}`,
  );
  const [node4, node6] = addressesOf(node);
  for (const other of [places.outside, ...nodeNames.filter((it) => it !== node).map((it) => places[it])])
    other.ip(`route add ${v4}/32 via ${node4}`, `route add ${v6}/128 via ${node6}`);
}

function own(name: PlaceName, prefix4: number, prefix6: number, link: string): string[] {
  const [v4, v6] = addressesOf(name);
  return [`addr add ${v4}/${prefix4} dev ${link}`, `addr add ${v6}/${prefix6} dev ${link} nodad`];
}

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

/** A namespace with a program that can be told to listen and to talk. */
export class Place {
  private readonly waiting = new Map<number, (ok: boolean) => void>();
  private lastId = 0;
  private readonly process: ChildProcess;

  constructor() {
    this.process = spawn("unshare", ["--net", process.execPath, join(__dirname, "prober.mts")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.process.stdout === null) throw new Error("no output to read answers from");
    createInterface({ input: this.process.stdout }).on("line", (line) => {
      const { id, ok }: ProberAnswer = JSON.parse(line);
      this.waiting.get(id)?.(ok);
      this.waiting.delete(id);
    });
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error("unshare cannot be started");
    return this.process.pid;
  }

  get netns(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  /** To be done before the namespace is used: until it is answered the program may still be in the host's. */
  async listen(ports: readonly { protocol: "TCP" | "UDP"; port: number }[]): Promise<void> {
    for (const port of ports) await this.ask({ do: "listen", ...port });
  }

  ask(request: Unnumbered<ProberRequest>): Promise<boolean> {
    this.lastId += 1;
    const id = this.lastId;
    this.process.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  run(command: string, ...args: string[]): void {
    execFileSync("nsenter", [`--net=${this.netns}`, command, ...args], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  /** Each is a command line of `ip`. */
  ip(...commands: string[]): void {
    const input = commands.map((line) => `${line}\n`).join("");
    execFileSync("nsenter", [`--net=${this.netns}`, "ip", "-batch", "-"], {
      input,
      stdio: ["pipe", "ignore", "inherit"],
    });
  }

  async end(): Promise<void> {
    const ended = once(this.process, "close");
    this.process.stdin?.end();
    await ended;
  }
}
