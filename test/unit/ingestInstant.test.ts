import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseInstant } from "../../ops/ingest/instant";
import { createZone, utc } from "../../ops/ingest/zone";

const at = (iso: string) => Date.parse(iso) * 1000;

describe("parseInstant", () => {
  it.each([
    ["2020-03-09 10:14:33", "2020-03-09T10:14:33Z"],
    ["2020-03-09T10:14", "2020-03-09T10:14:00Z"],
    ["2020-03-09T10:14:33.25Z", "2020-03-09T10:14:33.250Z"],
    ["2020-03-09 10:14:33,25", "2020-03-09T10:14:33.250Z"],
    ["2020-03-09 10:14:33 UTC", "2020-03-09T10:14:33Z"],
    ["2020-03-09 10:14:33+00", "2020-03-09T10:14:33Z"],
    ["2020-03-09 10:14:33 +0530", "2020-03-09T04:44:33Z"],
    ["2020-03-09T10:14:33-03:30", "2020-03-09T13:44:33Z"],
    ["2000-02-29 00:00:00", "2000-02-29T00:00:00Z"],
    ["1969-12-31 23:59:59", "1969-12-31T23:59:59Z"],
    ["0001-01-01 00:00:00", "0001-01-01T00:00:00Z"],
    ["1583748873", "2020-03-09T10:14:33Z"],
    ["1583748873.5", "2020-03-09T10:14:33.500Z"],
    ["1583748873250", "2020-03-09T10:14:33.250Z"],
    ["1583748873250000", "2020-03-09T10:14:33.250Z"],
    ["1583748873250000999", "2020-03-09T10:14:33.250Z"],
  ])("reads %s", (text, expected) => {
    expect(parseInstant(text, utc)).toBe(at(expected));
  });

  it("keeps microseconds and cuts off what is finer", () => {
    expect(parseInstant("2020-03-09 10:14:33.1234567", utc)).toBe(at("2020-03-09T10:14:33Z") + 123_456);
    expect(parseInstant("1583748873.123456789", utc)).toBe(at("2020-03-09T10:14:33Z") + 123_456);
  });

  it.each([
    ["2021-02-29 00:00:00", "does not exist"],
    ["1900-02-29 00:00:00", "does not exist"],
    ["2020-13-01 00:00:00", "does not exist"],
    ["2020-00-10 00:00:00", "does not exist"],
    ["2020-04-31 00:00:00", "does not exist"],
    ["2020-03-09 24:00:00", "does not exist"],
    ["2020-03-09 10:60:00", "does not exist"],
    ["2020-03-09 10:14:60", "does not exist"],
    ["", "is not a time"],
    ["2020-03-09", "is not a time"],
    ["2020-03-09 10", "is not a time"],
    ["2020-03-09 1:14:33", "is not a time"],
    ["2020-03-09 10:14:3", "is not a time"],
    ["2020-03-09 10:14:33.", "is not a time"],
    ["2020-03-09 10:14:33x", "is not a time"],
    ["2020-03-09 10:14:33 PM", "is not a time"],
    ["2020-03-09 10:14:33+24:00", "is not a time"],
    ["2020-03-09 10:14:33Z ", "is not a time"],
    ["03/09/2020 10:14", "is not a time"],
    ["09.03.2020 10:14", "is not a time"],
    ["12345", "is not a time"],
    ["123456789012", "is not a time"],
    ["-1583748873", "is not a time"],
    ["1.583748873e9", "is not a time"],
  ])("refuses %j", (text, reason) => {
    expect(parseInstant(text, utc)).toContain(reason);
  });

  it("reads back every instant it is given, in every notation", () => {
    const micros = fc.integer({ min: -62_135_596_800_000_000, max: 9_000_000_000_000_000 });
    fc.assert(
      fc.property(micros, fc.integer({ min: -900, max: 900 }), (instant, offset) => {
        const local = instant + offset * 60_000_000;
        fc.pre(local > -62_135_596_800_000_000);
        const iso = new Date(Math.floor(local / 1000)).toISOString();
        const rest = String(((local % 1000) + 1000) % 1000).padStart(3, "0");
        const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0");
        const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
        const text = `${iso.slice(0, -1)}${rest}`;
        expect(parseInstant(`${text}${offset < 0 ? "-" : "+"}${hours}:${minutes}`, utc)).toBe(instant);
        expect(parseInstant(text.replace("T", " "), utc)).toBe(local);
      }),
    );
  });

  it("never reads text that it would not write, nor throws", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9:.TZ +-]{0,30}$/), (text) => {
        const instant = parseInstant(text, utc);
        if (typeof instant === "number") expect(Number.isSafeInteger(instant)).toBe(true);
        else expect(instant).toContain(text);
      }),
    );
  });
});

describe("time zones", () => {
  const berlin = createZone("Europe/Berlin");

  it("reads local time in the zone, and leaves times with a zone of their own alone", () => {
    expect(parseInstant("2024-01-15 12:00:00", berlin)).toBe(at("2024-01-15T11:00:00Z"));
    expect(parseInstant("2024-07-15 12:00:00", berlin)).toBe(at("2024-07-15T10:00:00Z"));
    expect(parseInstant("2024-07-15 12:00:00Z", berlin)).toBe(at("2024-07-15T12:00:00Z"));
    expect(parseInstant("1720000000", berlin)).toBe(1_720_000_000_000_000);
  });

  it("is exact on both sides of a change of clocks", () => {
    expect(parseInstant("2024-03-31 01:59:59.999999", berlin)).toBe(at("2024-03-31T00:59:59Z") + 999_999);
    expect(parseInstant("2024-03-31 03:00:00", berlin)).toBe(at("2024-03-31T01:00:00Z"));
    expect(parseInstant("2024-10-27 01:59:59", berlin)).toBe(at("2024-10-26T23:59:59Z"));
    expect(parseInstant("2024-10-27 03:00:00", berlin)).toBe(at("2024-10-27T02:00:00Z"));
  });

  it("refuses the hour that does not exist and the hour that happens twice", () => {
    expect(parseInstant("2024-03-31 02:30:00", berlin)).toContain("does not exist in Europe/Berlin");
    expect(parseInstant("2024-10-27 02:30:00", berlin)).toContain("happens twice in Europe/Berlin");
    expect(parseInstant("2024-10-27 02:30:00", createZone("+02:00"))).toBe(at("2024-10-27T00:30:00Z"));
  });

  it("knows half-hour zones, half-hour changes and a day that was left out", () => {
    expect(parseInstant("2024-01-01 00:00:00", createZone("Asia/Kolkata"))).toBe(at("2023-12-31T18:30:00Z"));
    const lordHowe = createZone("Australia/Lord_Howe");
    expect(parseInstant("2024-04-07 01:45:00", lordHowe)).toContain("happens twice");
    expect(parseInstant("2024-04-07 01:15:00", lordHowe)).toBe(at("2024-04-06T14:15:00Z"));
    expect(parseInstant("2011-12-30 12:00:00", createZone("Pacific/Apia"))).toContain("does not exist");
  });

  it.each(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "-03:30", "UTC"])(
    "turns any local time that %s shows back into its instant, or calls it ambiguous",
    (name) => {
      const zone = createZone(name);
      const shown = new Intl.DateTimeFormat("sv-SE", {
        timeZone: name,
        dateStyle: "short",
        timeStyle: "medium",
      });
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (seconds) => {
          const result = parseInstant(shown.format(seconds * 1000), zone);
          if (typeof result === "number") expect(result).toBe(seconds * 1_000_000);
          else expect(result).toContain("happens twice");
        }),
      );
    },
  );

  it("refuses a name it does not know", () => {
    expect(() => createZone("Europe/Atlantis")).toThrow('unknown time zone "Europe/Atlantis"');
  });
});
