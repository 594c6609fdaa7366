/** What a person reads while faults happen. Pure. */
import { keyOf } from "./conflicts";
import type { Acknowledged } from "./journal";
import type { FaultRecord } from "./report";

/** One fault in a line. */
export function told(record: FaultRecord): string {
  const { from, to, lost, twoPrimaries } = record;
  const time = (value: number | undefined) => (value === undefined ? "never" : `${value.toFixed(2)} s`);
  return [
    from === to ? `${from} stays` : `${from} -> ${to}`,
    `${time(record.seconds)} (in the database ${time(record.databaseSeconds)})`,
    `${record.clientErrors} client errors`,
    ...(lost > 0 ? [`${lost} LOST`] : []),
    ...(twoPrimaries > 0 ? [`${twoPrimaries} WRITES OF A SECOND PRIMARY`] : []),
    ...record.problems,
  ].join(", ");
}

/** One write that went wrong. @param begun when its fault did */
export function toldWrite(one: Acknowledged, begun: number): string {
  const after = (moment: number) => `${((moment - begun) / 1000).toFixed(3)} s`;
  return `${keyOf(one)}, sent ${after(one.sent)} after the fault, acknowledged ${after(one.acknowledged)} after it by ${one.server} on timeline ${one.timeline}`;
}
