// What a policy does not hold for: read, checked, and found again for a resource.
import { parse } from "yaml";
import { z } from "zod";

export interface Exception {
  readonly policy: string;
  /** `TYPE::NAME` with `*` for any text, or a whole URN. */
  readonly resource: string;
  readonly reason: string;
  /** The last day, YYYY-MM-DD. */
  readonly expires: string;
}

export interface Exceptions {
  readonly valid: readonly Exception[];
  /** What is wrong with the others, each named. */
  readonly problems: readonly string[];
}

/** Months ahead that an exception may last: who still needs it then, says so again. */
const longestMonths = 12;

const entrySchema = z.strictObject({
  policy: z.string({ error: "has no policy: name the one that it is an exception from" }),
  resource: z.string({ error: "has no resource: write TYPE::NAME, as a preview's URN has it" }),
  reason: z.string({ error: "has no reason: say why" }).trim().min(1, "has no reason: say why"),
  expires: z.iso.date({ error: "has no expiry date: set expires to its last day, as YYYY-MM-DD" }),
});

/**
 * Reads exceptions.yaml. Entries with something wrong with them are left out, so that what they were to excuse is not.
 *
 * @param text YAML: a list, or nothing
 * @param policies names of those there are
 * @param today YYYY-MM-DD
 */
export function readExceptions(text: string, policies: readonly string[], today: string): Exceptions {
  const { entries, problem } = readList(text);
  const checked = entries.map((entry, index) => checkEntry(entry, index + 1, policies, today));
  return {
    valid: checked.flatMap(({ exception }) => exception ?? []),
    problems: [...(problem === undefined ? [] : [problem]), ...checked.flatMap(({ problems }) => problems)],
  };
}

function readList(text: string): { entries: readonly unknown[]; problem?: string } {
  try {
    const list: unknown = parse(text) ?? [];
    if (Array.isArray(list)) return { entries: list };
    return { entries: [], problem: "exceptions.yaml is not a list: begin each entry with a dash" };
  } catch (error) {
    const [why] = (error as Error).message.split("\n");
    return { entries: [], problem: `exceptions.yaml is not YAML: ${why}` };
  }
}

function checkEntry(
  entry: unknown,
  number: number,
  policies: readonly string[],
  today: string,
): { exception?: Exception; problems: readonly string[] } {
  const parsed = entrySchema.safeParse(entry);
  const wrong = parsed.success
    ? problemsOf(parsed.data, policies, today)
    : parsed.error.issues.map(({ message }) => message);
  if (parsed.success && wrong.length === 0) return { exception: parsed.data, problems: [] };
  return { problems: wrong.map((problem) => `${label(entry, number)} ${problem}`) };
}

function problemsOf(entry: Exception, policies: readonly string[], today: string): string[] {
  const { policy, resource, expires } = entry;
  const latest = monthsLater(today, longestMonths);
  return [
    ...(policies.includes(policy) ? [] : [`names no policy: there are ${policies.join(", ")}`]),
    ...(namesSomething(resource)
      ? []
      : [
          "names no resource: write TYPE::NAME, as a preview's URN has it; * may stand for a part of the name",
        ]),
    ...(expires < today ? [`expired on ${expires}: remove it with what it excused, or give a new date`] : []),
    ...(expires > latest ? [`lasts until ${expires}: set expires to ${latest} or earlier`] : []),
  ];
}

/** `exceptions.yaml, entry 2 (tls for *::backups)` */
function label(entry: unknown, number: number): string {
  const { policy, resource } = (
    typeof entry === "object" && entry !== null ? entry : {}
  ) as Partial<Exception>;
  return `exceptions.yaml, entry ${number} (${policy ?? "no policy"} for ${resource ?? "no resource"})`;
}

/** A day that the month does not have becomes its last one's next. */
function monthsLater(day: string, months: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.toISOString().slice(0, 10);
}

/** The exception that excuses a resource from a policy. */
export function exceptionFor(
  exceptions: readonly Exception[],
  policy: string,
  urn: string,
): Exception | undefined {
  return exceptions.find((one) => one.policy === policy && matches(one.resource, urn));
}

/** By its type and name, or by the whole URN: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
function matches(pattern: string, urn: string): boolean {
  const [, , types = "", ...name] = urn.split("::");
  const short = [types.split("$").at(-1), ...name].join("::");
  const wanted = new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`);
  return wanted.test(urn) || wanted.test(short);
}

/** An exception for everything is none. */
function namesSomething(pattern: string): boolean {
  const [, ...name] = pattern.split("::");
  return name.join("").replaceAll("*", "") !== "";
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
