/** IPv4 networks as ranges of numbers. */

export interface Network {
  /** The first address, as a number. */
  readonly first: number;
  readonly last: number;
  /** Length of the prefix: 24. */
  readonly prefix: number;
}

/** `10.40.0.0/20`; undefined where it is no network, e.g. because address bits are set that the prefix leaves out. */
export function parseNetwork(cidr: string): Network | undefined {
  const [, address, length] = /^((?:\d{1,3}\.){3}\d{1,3})\/(\d{1,2})$/.exec(cidr) ?? [];
  if (address === undefined) return undefined;
  const bytes = address.split(".").map(Number);
  const prefix = Number(length);
  if (prefix > 32 || bytes.some((byte) => byte > 255)) return undefined;
  const first = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - prefix);
  return first % size === 0 ? { first, last: first + size - 1, prefix } : undefined;
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

export function networkText({ first, prefix }: Network): string {
  return `${addressText(first)}/${prefix}`;
}

export function overlaps(a: Network, b: Network): boolean {
  return a.first <= b.last && b.first <= a.last;
}

export function contains(outer: Network, inner: Network): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}
