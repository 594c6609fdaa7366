// Which Kubernetes versions AKS supports, and until when. Three at a time; a fourth and fifth for those who pay for it.
import table from "./data/kubernetesVersions.json";
import type { AksSettings } from "./settings";

/** Dates as YYYY-MM-DD, inclusive. */
export interface AksVersion {
  /** `1.35` */
  readonly version: string;
  /** Generally, in all regions. */
  readonly available: string;
  readonly supportedUntil: string;
  /** With tier Premium. */
  readonly longTermUntil: string;
  /** It was only announced when the table was written. */
  readonly expected: boolean;
}

export interface VersionProblem {
  readonly problem: string;
  readonly example: string | undefined;
}

/** Newest first. */
const versions: readonly AksVersion[] = Object.entries(table.versions)
  .map(([version, dates]) => ({ version, ...dates, expected: dates.available > table.date }))
  .sort((one, other) => minor(other.version) - minor(one.version));

export function findVersion(version: string): AksVersion | undefined {
  return versions.find((known) => known.version === version);
}

/** Those with community support on a day, newest first; without those that were only announced. */
export function supportedVersions(today: Date): string[] {
  return versions
    .filter(({ expected, ...dates }) => !expected && isSupported(dates, dayOf(today)))
    .map(({ version }) => version);
}

/**
 * Why AKS would not take this version on this day, or not support it; undefined when it does. A version that was announced
 * for a day that is over is taken: AKS itself knows best.
 */
export function versionProblem(
  version: string,
  tier: AksSettings["tier"],
  today: Date,
): VersionProblem | undefined {
  const day = dayOf(today);
  const known = findVersion(version);
  if (known !== undefined && isSupported(known, day)) return undefined;
  if (known !== undefined && tier === "Premium" && day <= known.longTermUntil && known.available <= day) {
    return undefined;
  }
  const supported = supportedVersions(today);
  // The one before the newest is AKS's own default.
  const example = supported[1] ?? supported[0];
  return { problem: `${why(version, known, day)}; ${choice(day)}`, example };
}

/** What can be taken, in words. */
function choice(day: string): string {
  const names = versions
    .filter((known) => isSupported(known, day))
    .map(({ version, expected }) => (expected ? `${version} (announced)` : version));
  return names.length > 0
    ? `supported: ${names.join(", ")}`
    : `what is supported now was not known on ${table.date}: compare with \`${table.check}\``;
}

function why(version: string, known: AksVersion | undefined, day: string): string {
  if (known === undefined) {
    const newest = versions[0]?.version ?? "";
    return minor(version) > minor(newest)
      ? `is newer than what was known on ${table.date}: compare with \`${table.check}\` and add it to infra/azure/data/kubernetesVersions.json`
      : "is not supported any more";
  }
  if (day < known.available) return `is expected by ${known.available}`;
  if (day <= known.longTermUntil) {
    return `has no community support since ${known.supportedUntil}; until ${known.longTermUntil} it is supported with tier Premium`;
  }
  return `is not supported since ${known.longTermUntil}`;
}

function isSupported(
  { available, supportedUntil }: Pick<AksVersion, "available" | "supportedUntil">,
  day: string,
) {
  return available <= day && day <= supportedUntil;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
