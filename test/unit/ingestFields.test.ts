import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectDelimiter } from "../../ops/ingest/delimiter";
import { quoteField, splitFields } from "../../ops/ingest/fields";
import { linesOf } from "../../ops/ingest/lines";

describe("splitFields", () => {
  it.each([
    ["a;b;c", ["a", "b", "c"]],
    [" a ; b ;", ["a", "b", ""]],
    ['"a;b";c', ["a;b", "c"]],
    ['"say ""hi""" ; x', ['say "hi"', "x"]],
    ['"";""', ["", ""]],
    ['a"b;c', ['a"b', "c"]],
    ["", [""]],
  ])("splits %j", (line, fields) => {
    expect(splitFields(line, ";")).toEqual(fields);
  });

  it("reports a quote that is not closed, and text behind a closing one", () => {
    expect(splitFields('a;"b', ";")).toBeUndefined();
    expect(splitFields('a;"b""', ";")).toBeUndefined();
    expect(splitFields('"a"b;c', ";")).toBeUndefined();
  });

  it("agrees with csv-parse about what quoteField wrote", () => {
    const field = fc.string({ unit: "grapheme-ascii" }).map((text) => text.trim());
    fc.assert(
      fc.property(fc.array(field, { minLength: 2, maxLength: 6 }), (fields) => {
        const line = fields.map(quoteField).join(",");
        const [theirs] = parse(line, { relax_quotes: true, trim: true }) as string[][];
        expect(splitFields(line, ",")).toEqual(fields);
        expect(splitFields(line, ",")).toEqual(theirs);
      }),
    );
  });
});

describe("detectDelimiter", () => {
  it("finds the delimiter of any table", () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z .]{0,10}$/);
    const cell = fc.oneof(
      fc.integer().map(String),
      fc.float({ noNaN: true }).map(String),
      fc.constant(""),
      fc.constant("2024-01-01 00:00:00"),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(",", ";", "\t", "|"),
        fc.array(name, { minLength: 2, maxLength: 8 }),
        fc.array(fc.array(cell, { minLength: 8, maxLength: 8 }), { maxLength: 5 }),
        (delimiter, header, rows) => {
          const lines = rows.map((row) => row.slice(0, header.length).join(delimiter));
          expect(detectDelimiter(header.join(delimiter), lines)).toBe(delimiter);
        },
      ),
    );
  });

  it("is not misled by decimal commas or commas in names", () => {
    expect(detectDelimiter("time;a;b", ["2024-01-01 00:00;1,5;2,5"])).toBe(";");
    expect(detectDelimiter("time;Temp, in;Temp, out", ["2024-01-01 00:00;1,5;2,5"])).toBe(";");
    expect(detectDelimiter('time,"a;b","c;d"', ["2024-01-01 00:00,1,2"])).toBe(",");
  });

  it("finds none in prose", () => {
    expect(detectDelimiter("To whom it may concern", ["nothing here"])).toBeUndefined();
  });
});

describe("linesOf", () => {
  async function lines(chunks: string[]): Promise<[number, string][]> {
    async function* source() {
      yield* chunks;
    }
    const all: [number, string][] = [];
    for await (const { first, lines } of linesOf(source()))
      lines.forEach((line, i) => {
        all.push([first + i, line]);
      });
    return all;
  }

  it("numbers lines alike however the text is cut into chunks", async () => {
    const text = fc.array(fc.constantFrom("a", "b;c", "\n", "\r\n", "é"), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.infiniteStream(fc.integer({ min: 1, max: 7 })), async (pieces, sizes) => {
        const whole = pieces.join("");
        const chunks: string[] = [];
        for (let i = 0; i < whole.length; ) {
          const size = sizes.next().value as number;
          chunks.push(whole.slice(i, i + size));
          i += size;
        }
        const expected = whole.split(/\r?\n/);
        if (expected.at(-1) === "") expected.pop();
        expect(await lines(chunks)).toEqual(expected.map((line, i) => [i + 1, line]));
      }),
    );
  });

  it("cuts a line without end, so that it cannot fill the memory", async () => {
    const megabyte = "x".repeat(1 << 20);
    const found = await lines(["a\n", megabyte, megabyte, megabyte, "\nb"]);
    expect(found.map(([number]) => number)).toEqual([1, 2, 3]);
    expect(found[1]?.[1].length).toBeLessThan(300);
    expect(found[2]?.[1]).toBe("b");
  });
});
