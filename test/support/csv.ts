/** Files as machines export them, from the generator: the input of ingest tests where no real files are at hand. */
import type { Line } from "../../ops/telemetry/generator";

/** Lines with a line end: a header, then `time,machine,metric,value` with the codes of the dictionary. */
export function* longCsv(line: Line): Generator<string> {
  yield "time,machine,metric,value\n";
  for (const { length, times, values, machines, metrics } of line.samples()) {
    for (let i = 0; i < length; i += 1) {
      const machine = line.machines[machines[i] ?? 0]?.code;
      const metric = line.metrics[metrics[i] ?? 0]?.code;
      yield `${isoTime(times[i])},${machine},${metric},${decimal(values[i])}\n`;
    }
  }
}

/** Lines with a line end: a header `time;` and metric names, then one line an instant, of one machine. */
export function* wideCsv(line: Line, machine = 0): Generator<string> {
  let instant: number | undefined;
  let header: string[] | undefined = [];
  let cells: string[] = [];
  for (const { length, times, values, machines, metrics } of line.samples()) {
    for (let i = 0; i < length; i += 1) {
      if (machines[i] !== machine) continue;
      if (instant !== undefined && times[i] !== instant) {
        if (header !== undefined) yield `${["time", ...header].join(";")}\n`;
        header = undefined;
        yield `${[isoTime(instant), ...cells].join(";")}\n`;
        cells = [];
      }
      instant = times[i];
      header?.push(line.metrics[metrics[i] ?? 0]?.name ?? "");
      cells.push(decimal(values[i]));
    }
  }
  if (header !== undefined) yield `${["time", ...header].join(";")}\n`;
  if (instant !== undefined) yield `${[isoTime(instant), ...cells].join(";")}\n`;
}

function isoTime(micros = 0): string {
  return new Date(micros / 1_000).toISOString();
}

/** As short as a real (seven digits) allows: 12.34, not 12.34000015. */
function decimal(value = 0): string {
  return String(Number(value.toPrecision(7)));
}
