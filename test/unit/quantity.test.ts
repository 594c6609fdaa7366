import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBytes, parseCpus } from "../../infra/database/quantity";

describe("bytes", () => {
  it.each([
    ["1", 1],
    ["1k", 1_000],
    ["128M", 128_000_000],
    ["512Mi", 536_870_912],
    ["4Gi", 4_294_967_296],
    ["1.5Gi", 1_610_612_736],
    [".5Ki", 512],
    ["0.1Ki", 103],
    ["2Ti", 2_199_023_255_552],
  ])("%s", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(["", "0", "0Gi", "-1Gi", "4 Gi", "4GB", "4gi", "Gi", "1e3", "1.2.3", "500m", "NaN", "9000000Pi"])(
    "not %j",
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  it("reads what it is given in any unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4096 }), (amount) => {
        expect(parseBytes(`${amount}Mi`)).toBe(amount * 1024 * 1024);
        expect(parseBytes(`${amount / 1024}Gi`)).toBe(amount * 1024 * 1024);
      }),
    );
  });
});

describe("CPUs", () => {
  it.each([
    ["2", 2],
    ["0.5", 0.5],
    ["500m", 0.5],
    ["1500m", 1.5],
    ["0.0001", 0.001],
  ])("%s", (text, cpus) => {
    expect(parseCpus(text)).toBe(cpus);
  });

  it.each(["", "0", "0m", "2Gi", "2 ", "m", "-1", "two"])("not %j", (text) => {
    expect(parseCpus(text)).toBeUndefined();
  });

  it("are the same in thousandths and in decimals", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 128_000 }), (milli) => {
        expect(parseCpus(`${milli}m`)).toBe(milli / 1000);
        expect(parseCpus(String(milli / 1000))).toBe(milli / 1000);
      }),
    );
  });
});
