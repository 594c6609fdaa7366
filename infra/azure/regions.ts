// Azure's regions: which have availability zones, and where geo-redundant storage has its second copy.
import table from "./data/regions.json";

export interface Region {
  /** As Azure writes it: `westeurope`. */
  readonly name: string;
  /** Data stays in it: `Germany`. */
  readonly geography: string;
  readonly zones: 0 | 3;
  /** Where GRS and GZRS have their second copy; without one there is neither. Not always mutual. */
  readonly pair: string | undefined;
  /** Latitude and longitude, in degrees. */
  readonly at: readonly [number, number];
}

type Row = Readonly<{ zones: number; pair?: string; at: readonly number[] }>;

const geographies: Readonly<Record<string, Readonly<Record<string, Row>>>> = table.geographies;

const regions: ReadonlyMap<string, Region> = new Map(
  Object.entries(geographies).flatMap(([geography, members]) =>
    Object.entries(members).map(([name, row]) => [name, regionOf(name, geography, row)] as const),
  ),
);

export const regionNames: readonly string[] = [...regions.keys()];

/** undefined for what is no region, or a new one: the table has a date, and the command that shows today's. */
export function findRegion(name: string): Region | undefined {
  return regions.get(name);
}

/** Regions with three zones to take instead: those of the same geography first, then the nearest. */
export function zonalRegionsNear(region: Region, count = 3): string[] {
  const abroad = (other: Region) => (other.geography === region.geography ? 0 : 1);
  return [...regions.values()]
    .filter((other) => other.zones === 3 && other.name !== region.name)
    .sort(
      (one, other) =>
        abroad(one) - abroad(other) || kilometres(one.at, region.at) - kilometres(other.at, region.at),
    )
    .slice(0, count)
    .map(({ name }) => name);
}

function regionOf(name: string, geography: string, { zones, pair, at }: Row): Region {
  const [latitude = 0, longitude = 0] = at;
  return { name, geography, zones: zones === 3 ? 3 : 0, pair, at: [latitude, longitude] };
}

/** Over the surface of a globe ("haversine"). */
function kilometres([latitudeA, longitudeA]: Region["at"], [latitudeB, longitudeB]: Region["at"]): number {
  const half = (degrees: number) => Math.sin((degrees * Math.PI) / 360) ** 2;
  const cosine = (degrees: number) => Math.cos((degrees * Math.PI) / 180);
  const chord =
    half(latitudeB - latitudeA) + cosine(latitudeA) * cosine(latitudeB) * half(longitudeB - longitudeA);
  return 2 * 6_371 * Math.asin(Math.sqrt(chord));
}
