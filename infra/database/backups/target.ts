import { UserError } from "../../errors";

/** Where a restore ends; infra/database/agent/restore.py reads it. */
export interface RestoreTarget {
  readonly kind: "latest" | "time" | "lsn" | "name";
  /** As pgBackRest wants it; null for `latest`. */
  readonly value: string | null;
  /** Unix seconds, for choosing the backup to begin with. */
  readonly at?: number;
  /** Likewise, and more exact. */
  readonly lsn?: string;
}

const isoTime =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;
const lsnPattern = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i;
export const pointName = /^[a-z][a-z0-9_.-]{0,62}$/;

/**
 * What a person writes after `--to`: `latest`, a time with its offset, an LSN, or the name of a restore point.
 *
 * @throws UserError for a time without an offset, or of no calendar, and for anything else
 */
export function parseTarget(text: string): RestoreTarget {
  if (text === "latest") return { kind: "latest", value: null };
  if (lsnPattern.test(text)) return { kind: "lsn", value: text.toUpperCase(), lsn: text.toUpperCase() };
  const time = isoTime.exec(text);
  if (time !== null) return timeTarget(text, time);
  if (pointName.test(text)) return { kind: "name", value: text };
  throw new UserError(`"${text}" is no target of a restore`, {
    fix: "name latest, a time (2026-11-22T10:15:00Z), an LSN (0/3000148) or a restore point (npm run ops -- backup list)",
  });
}

function timeTarget(text: string, [, day, clock = "", offset]: RegExpExecArray): RestoreTarget {
  if (offset === undefined) {
    throw new UserError(`"${text}" does not say in which time zone`, {
      fix: `add Z for UTC, or an offset: ${day}T${clock}Z, ${day}T${clock}+01:00`,
    });
  }
  const zone = /^z$/i.test(offset)
    ? "+00:00"
    : offset.replace(/^([+-]\d{2}):?(\d{2})?$/, (_, h, m) => `${h}:${m ?? "00"}`);
  const seconds = clock.length === 5 ? `${clock}:00` : clock;
  const at = Date.parse(`${day}T${seconds}${zone}`) / 1_000;
  // JavaScript takes the 30th of February for the 2nd of March; PostgreSQL would refuse it, after hours of restoring.
  if (Number.isNaN(at) || !new Date(`${day}T00:00Z`).toISOString().startsWith(`${day}T`)) {
    throw new UserError(`"${text}" is in no calendar`, { fix: "write it like 2026-11-22T10:15:00Z" });
  }
  return { kind: "time", value: `${day} ${seconds}${zone}`, at };
}
