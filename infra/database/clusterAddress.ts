/** One coloured cluster, as others find it. */
export interface ClusterAddress {
  /** Its colour: name of the StatefulSet, and what its Services' names begin with. */
  readonly name: string;
  readonly namespace: string;
  /** How many members there are, the primary among them. */
  readonly members: number;
}

/** Services of a cluster. */
export function serviceNames({ name }: ClusterAddress) {
  return { members: `${name}-members`, primary: `${name}-primary`, replica: `${name}-replica` } as const;
}

/** The members' own names, in the order of their pods: `blue-0.blue-members.ms5-database.svc.cluster.local`, … */
export function memberHosts(cluster: ClusterAddress): string[] {
  return memberNames(cluster).map((name) => `${name}.${memberDomain(cluster)}`);
}

/** Their names alone, which are those of their pods. */
export function memberNames({ name, members }: ClusterAddress): string[] {
  return Array.from({ length: members }, (_, index) => `${name}-${index}`);
}

/** Where whoever is the primary answers. */
export function primaryHost(cluster: ClusterAddress): string {
  return `${serviceNames(cluster).primary}.${cluster.namespace}.svc`;
}

/** Where any replica answers. */
export function replicaHost(cluster: ClusterAddress): string {
  return `${serviceNames(cluster).replica}.${cluster.namespace}.svc`;
}

/** Every name under which a client may verify a member's certificate. `localhost` is for port-forwards. */
export function serverDnsNames(cluster: ClusterAddress): string[] {
  const { primary, replica } = serviceNames(cluster);
  return [
    ...serviceDnsNames(primary, cluster.namespace),
    ...serviceDnsNames(replica, cluster.namespace),
    `*.${memberDomain(cluster)}`,
    "localhost",
  ];
}

/** The names of a Service, from the one its own namespace uses to the whole one. */
export function serviceDnsNames(service: string, namespace: string): string[] {
  return ["", `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map(
    (rest) => service + rest,
  );
}

function memberDomain(cluster: ClusterAddress): string {
  return `${serviceNames(cluster).members}.${cluster.namespace}.svc.cluster.local`;
}
