/** Exports the rows of argv in a process of its own and prints how much memory that took at most, beside Node and the program. argv: format, rows. */
import { exportSeries } from "../../../ops/monitoring/advice/exportSeries";
import { fakeSeries } from "./adviceFakeSeries";

const [format, rows] = process.argv.slice(2);
if (format !== "csv" && format !== "parquet") throw new Error("usage: csv|parquet ROWS");

void (async () => {
  const { client } = fakeSeries(Number(rows));
  let bytes = 0;
  const most = () => process.resourceUsage().maxRSS / 1_024;
  const before = most();
  const window = { from: new Date(0), to: new Date("2100-01-01T00:00:00Z") };
  for await (const part of exportSeries(client, { machineId: 1, metricId: 1, format, ...window }))
    bytes += (part as Uint8Array).length;
  const megabytes = most() - before;
  process.stdout.write(JSON.stringify({ bytes, megabytes }));
})();
