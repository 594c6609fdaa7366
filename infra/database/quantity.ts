// Quantities as Kubernetes writes them ("512Mi", "4G", "500m"), read as numbers.

const factors: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Whole bytes, rounded up as Kubernetes does; undefined for what is no positive quantity of memory or disk. */
export function parseBytes(text: string): number | undefined {
  const { amount, suffix } = split(text);
  const factor = factors[suffix];
  return factor === undefined ? undefined : positive(roundedUp(amount * factor));
}

/** CPUs, a fraction of one too ("500m" is 0.5); undefined for what is no positive quantity of them. */
export function parseCpus(text: string): number | undefined {
  const { amount, suffix } = split(text);
  if (suffix === "m") return positive(roundedUp(amount) / 1000);
  // A thousandth of a CPU is the least that Kubernetes knows.
  return suffix === "" ? positive(roundedUp(amount * 1000) / 1000) : undefined;
}

function split(text: string): { amount: number; suffix: string } {
  const [, amount, suffix] = /^(\d+(?:\.\d*)?|\.\d+)([a-zA-Z]*)$/.exec(text) ?? [];
  return { amount: Number(amount), suffix: suffix ?? "" };
}

/** To a whole number, without taking the dust of a binary fraction for more. */
function roundedUp(value: number): number {
  return Math.ceil(value - 1e-6);
}

function positive(value: number): number | undefined {
  return value > 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
