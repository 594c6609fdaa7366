/** Reads a file as the ingest does, up to the bytes a database would get, and prints how much memory it took at most. */
import { batchesOf } from "../../ops/ingest/batches";
import { toCopy } from "../../ops/ingest/binary";
import { detectLayout } from "../../ops/ingest/layout";
import { linesOf } from "../../ops/ingest/lines";
import { Names } from "../../ops/ingest/names";
import { createRecordReader } from "../../ops/ingest/records";
import { inspectFile, readText } from "../../ops/ingest/source";
import { createCopyWriter } from "../../ops/ingest/writers";
import { utc } from "../../ops/ingest/zone";

async function main(path: string): Promise<void> {
  const source = await inspectFile(path);
  const layout = detectLayout(source.head, path, "file");
  const read = createRecordReader({
    layout,
    allowed: { earliest: new Date(0), latest: new Date("2030-01-01T00:00:00Z") },
    machines: new Names(),
    metrics: new Names(),
    machine: undefined,
    zoneOf: () => utc,
  });
  const ids = Array.from({ length: 1000 }, (_, i) => i);
  let samples = 0;
  for await (const batch of batchesOf(linesOf(readText(source).chunks), {
    headerLine: layout.headerLine,
    done: 0,
    samples: createCopyWriter().batchSamples,
    read,
  })) {
    if (toCopy({ samples: batch, machineIds: ids, metricIds: ids }).length > 0) samples += batch.length;
  }
  process.stdout.write(JSON.stringify({ samples, megabytes: process.resourceUsage().maxRSS / 1024 }));
}

void main(process.argv[2] ?? "");
