/** Ranges of time that people name, and the SQL that selects them. Pure. */
import { UserError } from "../../infra/errors";
import { escapeIdentifier, escapeLiteral } from "../../infra/schema/postgres";
import { parseInstant } from "../ingest/instant";
import type { Zone } from "../ingest/zone";
import type { Table } from "./tables";

/** From (inclusive) to (exclusive), each ISO 8601 in UTC with microseconds; open where it is missing. */
export interface TimeRange {
  readonly from?: string;
  readonly to?: string;
}

/** A backup that is an hour off is found when it is needed: the zone is never guessed. */
const unknownZone: Zone = {
  name: "unknown",
  toUtc: () => "the zone is missing: add Z for UTC, or an offset",
};

/**
 * Reads both ends of a range as a person writes them.
 *
 * @throws UserError for a time that is no single instant, and for a range that holds none
 */
export function parseRange(from: string | undefined, to: string | undefined): TimeRange {
  const [start, end] = [parseTime(from), parseTime(to)];
  if (start !== undefined && end !== undefined && start >= end)
    throw new UserError(`nothing is between ${from} and ${to}`, {
      fix: "a range ends before its end: name a later one",
    });
  return {
    ...(start === undefined ? {} : { from: isoText(start) }),
    ...(end === undefined ? {} : { to: isoText(end) }),
  };
}

function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const instant = parseInstant(text, unknownZone);
  if (typeof instant === "number") return instant;
  throw new UserError(instant, {
    fix: "write the time like 2026-03-09T10:14:33Z or 2026-03-09T10:14:33.5+01:00",
  });
}

/** @param micros since 1970-01-01 UTC */
function isoText(micros: number): string {
  const millis = Math.floor(micros / 1_000);
  const rest = String(micros - millis * 1_000).padStart(3, "0");
  return new Date(millis).toISOString().replace("Z", `${rest}Z`);
}

/**
 * The WHERE clause that selects a range of a table's rows; empty for all of them.
 *
 * @throws UserError when the table has no time that a range could be about
 */
export function whereInRange({ name, time }: Table, { from, to }: TimeRange): string {
  if (from === undefined && to === undefined) return "";
  if (time === undefined)
    throw new UserError(`${name} is no hypertable: it has no time that a range could be about`, {
      fix: "leave the range out, which takes the whole table",
    });
  if (!time.type.startsWith("timestamp"))
    throw new UserError(`${name} is partitioned by ${time.name}, which is no time but ${time.type}`, {
      fix: "leave the range out, which takes the whole table",
    });
  const column = escapeIdentifier(time.name);
  const conditions = [
    ...(from === undefined ? [] : [`${column} >= ${escapeLiteral(from)}`]),
    ...(to === undefined ? [] : [`${column} < ${escapeLiteral(to)}`]),
  ];
  return ` WHERE ${conditions.join(" AND ")}`;
}
