import type { Span } from "./calendar";

/** Looks up which of many spans holds an instant, for instants that only grow. Where spans overlap, the earlier counts. */
export class Layer<T extends Span> {
  private readonly spans: readonly T[];
  private next = 0;

  constructor(spans: readonly T[]) {
    this.spans = [...spans].sort((a, b) => a.from - b.from);
  }

  at(instant: number): T | undefined {
    for (;;) {
      const span = this.spans[this.next];
      if (span === undefined || span.from > instant) return undefined;
      if (span.to > instant) return span;
      this.next += 1;
    }
  }
}

/** All instants inside `whole` at which one of the spans begins or ends, with both ends of `whole`, in order. */
export function borders(whole: Span, ...groups: readonly (readonly Span[])[]): number[] {
  const instants = new Set([whole.from, whole.to]);
  for (const { from, to } of groups.flat()) {
    if (from > whole.from && from < whole.to) instants.add(from);
    if (to > whole.from && to < whole.to) instants.add(to);
  }
  return [...instants].sort((a, b) => a - b);
}
