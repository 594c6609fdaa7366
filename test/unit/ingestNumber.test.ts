import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectDecimalMark, parseReal } from "../../ops/ingest/number";

describe("parseReal", () => {
  it.each([
    ["0", 0],
    ["-0.25", -0.25],
    ["+7", 7],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    ["2.5E-1", 0.25],
    ["1e-300", 0],
  ])("reads %s", (text, value) => {
    expect(parseReal(text, ".")).toBe(value);
  });

  it.each([
    "",
    " ",
    "abc",
    "1 2",
    "0x10",
    "1_000",
    "--1",
    "1e",
    "1.2.3",
    ".",
    "1,5",
    "1,234.5",
    "true",
    "12a",
  ])("refuses %j", (text) => {
    expect(parseReal(text, ".")).toBeTypeOf("string");
  });

  it("gives the reason", () => {
    expect(parseReal("NaN", ".")).toBe("NaN is not a measured value");
    expect(parseReal("-Infinity", ".")).toBe("-Infinity is not a measured value");
    expect(parseReal("1e39", ".")).toBe("1e39 is too large for a real");
    expect(parseReal("3.5e38", ".")).toBe("3.5e38 is too large for a real");
    expect(parseReal("1,5", ".")).toBe('1,5 has a "," where the file\'s decimal mark is "."');
    expect(parseReal("1.500", ",")).toBe('1.500 has a "." where the file\'s decimal mark is ","');
    expect(parseReal("OK", ",")).toBe("OK is not a number");
  });

  it("keeps every real, with either mark", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = String(value);
        // String(-0) is "0": a text without the sign cannot bring it back.
        const written = value === 0 ? 0 : value;
        expect(parseReal(text, ".")).toBe(written);
        expect(parseReal(text.replace(".", ","), ",")).toBe(written);
      }),
      // fc.float finds -0 in some runs only.
      { examples: [[-0]] },
    );
  });
});

describe("detectDecimalMark", () => {
  it.each([
    [["1.5", "2"], ";", "."],
    [["1,5", "2"], ";", ","],
    [["1", "2", "", "x"], ";", "either"],
    [["1,5", "2,5"], ",", "."],
    // German thousands beside decimal commas, English thousands beside decimal points.
    [["1.500", "2,5", "3,5"], ";", ","],
    [["1,500", "2.5", "3.5"], "\t", "."],
  ])("finds it in %j separated by %j: %s", (cells, delimiter, mark) => {
    expect(detectDecimalMark(cells, delimiter)).toBe(mark);
  });
});
