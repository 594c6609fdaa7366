/** Ingests the files of its command line in a process of its own, which a test may kill. argv: target as JSON, folder for rejects, files. */
import { ingestFiles } from "../../ops/ingest";

const [target, rejects, ...files] = process.argv.slice(2);
if (target === undefined || rejects === undefined) throw new Error("usage: TARGET REJECTS FILE…");

void ingestFiles({
  target: JSON.parse(target),
  files,
  machine: "m",
  rejects,
  allowed: { earliest: new Date("2000-01-01T00:00:00Z"), latest: new Date("2030-01-01T00:00:00Z") },
  log: { info: () => undefined, warn: () => undefined },
  onProgress: ({ rows }) => process.stdout.write(`${rows}\n`),
});
