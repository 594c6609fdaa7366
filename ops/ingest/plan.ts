import { createHash } from "node:crypto";
import { UserError } from "../../infra/errors";
import type { Dictionary } from "./dictionary";
import { detectLayout, type Layout, refused } from "./layout";
import { fileStem, machineCode, machineCodeShape, machineOfFile, matchMachine } from "./machineNames";
import { type Metric, matchMetric } from "./metricNames";
import type { SourceFile } from "./source";
import { createZone, type Zone } from "./zone";

/** What the command line says about all files. */
export interface Reading {
  readonly machine?: string;
  readonly timezone?: string;
}

/** How one file will be read: everything that is decided before its first record. */
export interface FilePlan {
  readonly source: SourceFile;
  readonly layout: Layout;
  /** Undefined when a column names it. */
  readonly machine: string | undefined;
  /** For a person: which machine, and how we know. */
  readonly machineNote: string;
  /** Of the bytes, and of all that makes the same bytes other data. */
  readonly fingerprint: string;
  /** The zone of a machine's times that carry none. */
  zoneOf(machine: string): Zone;
}

/** What can be told from the file alone. */
export function readLayout(source: SourceFile, reading: Reading): Layout {
  const layout = detectLayout(source.head, source.path, fileStem(source.path));
  if (reading.machine !== undefined && layout.machineSamples.length > 1)
    throw refused(
      source.path,
      `holds several machines (${layout.machineSamples.slice(0, 3).join(", ")}), not only ${reading.machine}`,
      "leave out --machine: a column of the file names them",
    );
  return layout;
}

/**
 * Decides how a file is read, with the dictionary as it is now.
 *
 * @throws UserError for an impossible machine name, an unknown time zone, or two columns that mean one metric.
 */
export function planFile(
  source: SourceFile,
  layout: Layout,
  reading: Reading,
  dictionary: Dictionary,
): FilePlan {
  if (layout.samples.shape === "wide")
    refuseSharedMetric(
      layout.samples.columns.map((column) => column.metric),
      dictionary,
      source.path,
    );
  const machine = reading.machine ?? (layout.machine === undefined ? machineOfFile(source.path) : undefined);
  const known = machine === undefined ? undefined : matchMachine(machine, dictionary.machines);
  if (reading.machine !== undefined && known === undefined && !machineCodeShape.test(reading.machine))
    throw new UserError(`${JSON.stringify(reading.machine)} cannot be a machine's code`, {
      fix: "name a machine of factory_telemetry.machines, or a new one with up to 63 letters, digits, dots, dashes and underscores",
    });
  const zones = new Map<string, Zone>();
  const zoneOf = (name: string): Zone => {
    let zone = zones.get(name);
    if (zone === undefined) {
      zone = createZone(reading.timezone ?? matchMachine(name, dictionary.machines)?.timezone ?? "UTC");
      zones.set(name, zone);
    }
    return zone;
  };
  const zoneName = reading.timezone ?? (machine === undefined ? "of each machine" : zoneOf(machine).name);
  if (reading.timezone !== undefined) createZone(reading.timezone);
  const machineText = machine === undefined ? "" : (known?.code ?? machineCode(machine));
  return {
    source,
    layout,
    machine,
    machineNote:
      machine === undefined
        ? "machines by column"
        : `machine ${machineText} (${reading.machine === undefined ? "its folder; --machine names another" : "--machine"})`,
    fingerprint: createHash("sha256")
      .update(
        JSON.stringify([
          source.sha256,
          machineText,
          zoneName,
          layout.namedAfterFile ? fileStem(source.path) : "",
        ]),
      )
      .digest("hex"),
    zoneOf,
  };
}

/** Two columns of one metric would fight for the same keys, and one would vanish as duplicates. */
function refuseSharedMetric(names: readonly string[], dictionary: Dictionary, path: string): void {
  const metrics: Metric[] = [...dictionary.metrics];
  const owner = new Map<string, string>();
  for (const name of names) {
    const match = matchMetric(name, { metrics, aliases: dictionary.aliases });
    const other = owner.get(match.code);
    if (other !== undefined)
      throw refused(
        path,
        `has two columns that mean metric ${match.code}: ${JSON.stringify(other)} and ${JSON.stringify(name)}`,
        "rename one of them, or change factory_telemetry.metric_aliases",
      );
    owner.set(match.code, name);
    if (!("id" in match)) metrics.push({ ...match, id: -1 - metrics.length });
  }
}
