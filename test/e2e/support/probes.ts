/**
 * Whether a probe, `FROM > TO PROTOCOL/PORT`, is one that a pattern means: `*` and lists stand on either side, a port at
 * the end is optional, as in `web,api > * TCP/8080`.
 */
export function covers(pattern: string, probe: string): boolean {
  const [from, , to, port] = pattern.split(" ");
  const [itsFrom, , itsTo, itsPort] = probe.split(" ");
  const has = (list: string | undefined, one: string | undefined) =>
    list === undefined || list === "*" || list.split(",").includes(one ?? "");
  return has(from, itsFrom) && has(to, itsTo) && has(port, itsPort);
}
