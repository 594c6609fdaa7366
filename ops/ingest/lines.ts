/** Characters after which a line is cut: no telemetry record is a mebibyte long, and a file may lack line ends. */
const longestLine = 1 << 20;

/** Consecutive lines of a file; `first` is the 1-based number of the first one. */
export interface Lines {
  readonly first: number;
  readonly lines: readonly string[];
}

/**
 * Groups text chunks into lines, ended by LF or CRLF. Of a line that is too long only the beginning is kept, with a
 * mark that makes the record unreadable.
 */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<Lines> {
  let first = 1;
  let rest = "";
  let dropping = false;
  for await (const chunk of chunks) {
    const lines = chunk.split("\n");
    lines[0] = dropping ? rest : rest + (lines[0] ?? "");
    rest = lines.pop() ?? "";
    if (lines.length > 0) {
      dropping = false;
      for (let i = 0; i < lines.length; i += 1) {
        const line = lines[i] ?? "";
        if (line.endsWith("\r")) lines[i] = line.slice(0, -1);
      }
      yield { first, lines };
      first += lines.length;
    }
    if (rest.length > longestLine && !dropping) {
      rest = `${rest.slice(0, 200)}… (line longer than 1 MiB)`;
      dropping = true;
    }
  }
  if (rest !== "") yield { first, lines: [rest.endsWith("\r") ? rest.slice(0, -1) : rest] };
}
