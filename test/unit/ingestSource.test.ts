import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../../infra/errors";
import { inspectFile, readText } from "../../ops/ingest/source";

const folder = mkdtempSync(join(tmpdir(), "ms5-ingest-source-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function textOf(path: string): Promise<string> {
  let text = "";
  for await (const chunk of readText(await inspectFile(path)).chunks) text += chunk;
  return text;
}

async function refusal(path: string): Promise<UserError> {
  const error = await inspectFile(path).catch((reason: unknown) => reason);
  if (!(error instanceof UserError)) throw new Error(`${path} was not refused`);
  expect(error.message.startsWith(path)).toBe(true);
  return error;
}

const rows = Array.from({ length: 20_000 }, (_, i) => `2024-01-01 00:00:00.${i};${i};Größe °C\n`).join("");
const table = `time;a;b\n${rows}`;

describe("what is read", () => {
  it("reads text plain, with a byte order mark and packed, alike", async () => {
    expect(await textOf(file("plain.csv", table))).toBe(table);
    expect(await textOf(file("bom.csv", `\ufeff${table}`))).toBe(table);
    expect(await textOf(file("packed.csv.gz", gzipSync(table)))).toBe(table);
    // What log rotation makes: several packed pieces behind one another. The name does not matter.
    const pieces = Buffer.concat([gzipSync(table.slice(0, 1000)), gzipSync(table.slice(1000))]);
    expect(await textOf(file("pieces.csv", pieces))).toBe(table);
  });

  it("fingerprints the bytes, and shows whole lines only", async () => {
    const source = await inspectFile(file("plain.csv", table));
    expect(source.sha256).toBe((await inspectFile(file("copy.csv", table))).sha256);
    expect(source.sha256).not.toBe((await inspectFile(file("other.csv", `${table}x`))).sha256);
    expect(table.startsWith(`${source.head.join("\n")}\n`)).toBe(true);
    expect((await inspectFile(file("small.csv", "time;a\r\n1;2"))).head).toEqual(["time;a", "1;2"]);
  });

  it("leaves what is appended afterwards to the next ingest", async () => {
    const path = file("growing.csv", table);
    const source = await inspectFile(path);
    file("growing.csv", `${table}2024;9;x\n`);
    let length = 0;
    for await (const chunk of readText(source).chunks) length += chunk.length;
    expect(length).toBe(table.length);
  });

  it("notices that the file became shorter", async () => {
    const source = await inspectFile(file("shrinking.csv", table));
    file("shrinking.csv", table.slice(0, 5000));
    await expect(async () => {
      for await (const chunk of readText(source).chunks) expect(chunk).not.toBe("");
    }).rejects.toThrow("became shorter");
  });
});

describe("what is refused", () => {
  it("says where another encoding begins, and how to convert it", async () => {
    const error = await refusal(file("latin.csv", Buffer.from(table.replace("Größe", "Groesse"), "latin1")));
    expect(error.message).toContain("is not UTF-8 text: line 2 ");
    expect(error.fix).toContain("iconv -f WINDOWS-1252 -t UTF-8");
    const late = Buffer.concat([Buffer.from(table), Buffer.from("2024;1;°\n", "latin1")]);
    expect((await refusal(file("late.csv", late))).message).toContain("line 20002 ");
    expect((await refusal(file("late.csv.gz", gzipSync(late)))).message).toContain("line 20002 ");
    expect((await refusal(file("cut.csv", Buffer.from("time;ä").subarray(0, 6)))).message).toContain(
      "line 1 ",
    );
  });

  it.each([
    ["UTF-16 with a mark", Buffer.from("\ufefftime;a\n1;2\n", "utf16le"), "is UTF-16 text"],
    ["UTF-16 without one", Buffer.from("time;a\n1;2\n", "utf16le"), "is UTF-16 text"],
    ["a workbook", Buffer.from("PK\x03\x04xxxxxxxx", "latin1"), "is a ZIP archive or an Excel workbook"],
    ["a Parquet file", Buffer.from("PAR1xxxx"), "is a Parquet file"],
    ["bytes", Buffer.from([1, 0, 2, 0, 0, 200, 3, 9]), "is a binary file"],
    ["nothing", Buffer.alloc(0), "is empty"],
    ["old line ends", Buffer.from("time;a\r1;2\r3;4\r"), "ends its lines with CR alone"],
    ["half a gzip file", gzipSync(table).subarray(0, 5000), "is a damaged gzip file: unexpected end of file"],
    [
      "a scribbled gzip file",
      Buffer.concat([gzipSync(table).subarray(0, 5000), Buffer.alloc(5000, 7)]),
      "is a damaged gzip file",
    ],
    [
      "a packed workbook",
      gzipSync(Buffer.from("PK\x03\x04xxxx", "latin1")),
      "is a ZIP archive or an Excel workbook",
    ],
  ])("%s", async (name, content, message) => {
    expect((await refusal(file(`${name}.csv`, content))).message).toContain(message);
  });

  it("a missing file and a folder", async () => {
    expect((await refusal(join(folder, "missing.csv"))).message).toContain("does not exist");
    expect((await refusal(folder)).message).toContain("is not a file");
  });
});
