// The network between the machines: a bridge in the control machine, a wire to each node, one to the host.
import { existsSync } from "node:fs";
import { inNetworkOf, runHost } from "./machine";
import { type ClusterPlan, network } from "./plan";

const bridge = "machines";
/** A machine's end of its wire. */
export const uplink = "eth0";

/**
 * Wires the machines up. Everything is made inside their networks, but for the link to the host.
 *
 * @param pids first processes of the machines by name
 */
export async function connectMachines(plan: ClusterPlan, pids: ReadonlyMap<string, number>): Promise<void> {
  const pid = (name: string) => pids.get(name) ?? -1;
  const control = pid("control");
  const prefix = network.machines.split("/")[1];
  await ip(control, [
    "link set lo up",
    `link add ${bridge} type bridge`,
    `addr add ${plan.control.address}/${prefix} dev ${bridge}`,
    `link set ${bridge} up`,
    ...plan.nodes.flatMap((node) => [
      `link add ${node.name} type veth peer name ${uplink} netns ${pid(node.name)}`,
      `link set ${node.name} master ${bridge} up`,
      `route add ${node.podSubnet} via ${node.address}`,
    ]),
  ]);
  for (const node of plan.nodes) {
    const others = plan.nodes.filter((other) => other !== node);
    await ip(pid(node.name), [
      "link set lo up",
      `addr add ${node.address}/${prefix} dev ${uplink}`,
      `link set ${uplink} up`,
      ...others.map((other) => `route add ${other.podSubnet} via ${other.address}`),
    ]);
  }
  await connectHost(plan, control);
}

async function connectHost({ hostLink }: ClusterPlan, control: number): Promise<void> {
  await runHost("sh", [
    "-ec",
    [
      `ip link add ${hostLink.name} type veth peer name host netns ${control}`,
      `ip addr add ${hostLink.host}/30 dev ${hostLink.name}`,
      `ip link set ${hostLink.name} up`,
    ].join("\n"),
  ]);
  await ip(control, [`addr add ${hostLink.cluster}/30 dev host`, "link set host up"]);
}

/**
 * Takes the link to the host away. It would go with the control machine, but connections whose other end is gone first
 * can hold that up for two minutes.
 */
export async function disconnectHost({ hostLink }: ClusterPlan): Promise<void> {
  if (existsSync(`/sys/class/net/${hostLink.name}`)) await runHost("ip", ["link", "delete", hostLink.name]);
}

/** Commands of ip(8) in the network of a machine. */
async function ip(pid: number, commands: readonly string[]): Promise<void> {
  await inNetworkOf(pid, ["sh", "-ec", commands.map((command) => `ip ${command}`).join("\n")]);
}
