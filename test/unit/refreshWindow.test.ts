import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wholeBuckets } from "../../infra/schema/refresh";

const at = (text: string) => new Date(`2026-01-${text}Z`);

describe("wholeBuckets", () => {
  it("widens a window to the buckets that hold it", () => {
    expect(wholeBuckets({ from: at("05T10:20"), to: at("05T11:01") }, 3_600, undefined)).toEqual({
      from: at("05T10:00"),
      to: at("05T12:00"),
    });
  });

  it("leaves out the bucket in which the source's rows begin to be missing", () => {
    const window = { from: at("01T00:00"), to: at("05T11:00") };
    expect(wholeBuckets(window, 86_400, at("03T07:00"))).toEqual({
      from: at("04T00:00"),
      to: at("06T00:00"),
    });
  });

  it("is all there is without a window, and nothing where everything is beyond retention", () => {
    expect(wholeBuckets(undefined, 60, undefined)).toEqual({ from: null, to: null });
    expect(wholeBuckets(undefined, 60, at("03T07:00"))).toEqual({ from: at("03T07:00"), to: null });
    expect(
      wholeBuckets({ from: at("01T00:00"), to: at("02T00:00") }, 86_400, at("03T07:00")),
    ).toBeUndefined();
  });

  it("never begins before the cutoff, and is never empty", () => {
    const time = fc.date({ min: at("01T00:00"), max: at("30T00:00"), noInvalidDate: true });
    fc.assert(
      fc.property(time, time, time, fc.constantFrom(60, 3_600, 86_400), (from, to, cutoff, bucket) => {
        const found = wholeBuckets({ from, to }, bucket, cutoff);
        if (found?.from == null || found.to == null) return;
        expect(found.from.getTime()).toBeGreaterThanOrEqual(cutoff.getTime());
        expect(found.to.getTime() - found.from.getTime()).toBeGreaterThanOrEqual(bucket * 1_000);
      }),
    );
  });
});
