import { Batch } from "./batch";
import type { Lines } from "./lines";

/** Bounds besides the number of samples, for files of bad or nearly empty records. */
const limits = { rejects: 5_000, rejectedCharacters: 4 << 20, records: 200_000 };

/**
 * Groups the records of a file into batches. Blank lines are no records.
 *
 * @param done records that an earlier run has dealt with.
 */
export async function* batchesOf(
  source: AsyncIterable<Lines>,
  options: {
    readonly headerLine: number;
    readonly done: number;
    /** Samples that fill a batch. A record is never torn, so a batch may be a record larger. */
    readonly samples: number;
    readonly read: (line: string, batch: Batch) => string | undefined;
  },
): AsyncGenerator<Batch> {
  const { headerLine, done, read } = options;
  const capacity = options.samples;
  let seen = 0;
  let batch = new Batch(done, capacity);
  for await (const { first, lines } of source) {
    for (let i = 0; i < lines.length; i += 1) {
      const line = lines[i] ?? "";
      const number = first + i;
      if (number <= headerLine || isBlank(line)) continue;
      seen += 1;
      if (seen <= done) continue;
      const reason = read(line, batch);
      batch.records += 1;
      if (reason !== undefined) batch.reject({ line: number, reason, record: line });
      if (
        batch.length >= capacity ||
        batch.records >= limits.records ||
        batch.rejects.length >= limits.rejects ||
        batch.rejectedCharacters >= limits.rejectedCharacters
      ) {
        yield batch;
        batch = new Batch(seen, capacity);
      }
    }
  }
  if (batch.records > 0) yield batch;
}

function isBlank(line: string): boolean {
  return line === "" || line.trim() === "";
}
