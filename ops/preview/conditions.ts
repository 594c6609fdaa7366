// When a row of the table of effects holds: what a value was and what it will be, compared.
import { parseBytes } from "../../infra/database/quantity";
import { parseInterval } from "../../infra/units";
import type { PropertyChange, ResourceModel } from "../engine/events";

export interface Condition {
  /** For the documentation: `to a shorter time`. */
  readonly says: string;
  holds(change: PropertyChange, resource: ResourceModel): boolean;
}

/** An interval. Unknown ones are taken for shorter: a warning too much deletes nothing. */
export const shorter: Condition = {
  says: "to a shorter time",
  holds: ({ before, after }) => !(seconds(after) >= seconds(before)),
};

function seconds(value: unknown): number {
  return typeof value === "string" ? (parseInterval(value)?.seconds ?? Number.NaN) : Number.NaN;
}

/** A number. */
export const fewer: Condition = {
  says: "to fewer",
  holds: ({ before, after }) => Number(after) < Number(before),
};

/** A size of memory or disk. */
export const smaller: Condition = {
  says: "to a smaller size",
  holds: ({ before, after }) => (parseBytes(String(after)) ?? 0) < (parseBytes(String(before)) ?? 0),
};

/** A list, or a part of one: something that was in it is not there any more, or another. */
export const takesAway: Condition = {
  says: "where something is taken away or changed",
  holds: ({ before, after }) => {
    if (!Array.isArray(before)) return before !== undefined;
    const left = Array.isArray(after) ? after.map((item) => JSON.stringify(item)) : [];
    return before.some((item) => !left.includes(JSON.stringify(item)));
  },
};

/** A job that someone paused by hand goes on. */
export const resumed: Condition = {
  says: "of a paused job",
  holds: ({ before }) => before === "paused",
};

/** The object stays where it is when its resource goes. */
export const kept: Condition = {
  says: "with `retainOnDelete`",
  holds: (_, resource) => resource.kept === true,
};
