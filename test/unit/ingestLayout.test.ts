import { describe, expect, it } from "vitest";
import { UserError } from "../../infra/errors";
import { detectLayout } from "../../ops/ingest/layout";

const layout = (...lines: string[]) => detectLayout(lines, "file.csv", "file");

describe("detectLayout", () => {
  it("reads the shape of a SKAB file", () => {
    expect(
      layout(
        "datetime;Accelerometer1RMS;Volume Flow RateRMS;anomaly;changepoint",
        "2020-03-09 10:14:33;0.0265;32.0;0.0;0.0",
        "2020-03-09 10:14:34;0.0261;32.1;0.0;1.0",
      ),
    ).toEqual({
      delimiter: ";",
      decimalMark: ".",
      headerLine: 1,
      fields: 5,
      time: 0,
      machineSamples: [],
      samples: {
        shape: "wide",
        columns: [
          { index: 1, metric: "Accelerometer1RMS" },
          { index: 2, metric: "Volume Flow RateRMS" },
          { index: 3, metric: "anomaly" },
          { index: 4, metric: "changepoint" },
        ],
      },
      namedAfterFile: false,
      notes: [],
    });
  });

  it("calls the only value of a NAB file after the file", () => {
    const nab = detectLayout(["timestamp,value", "2013-12-02 21:15:00,73.9"], "x/oven.csv", "oven");
    expect(nab.samples).toEqual({ shape: "wide", columns: [{ index: 1, metric: "oven" }] });
    expect(nab.namedAfterFile).toBe(true);
  });

  it("reads a long file, whatever its columns are called and in which order", () => {
    const long = layout("Value|Tag Name|Quality|Device|Zeit", "1,5|speed|good|filler|2024-01-01T00:00:00Z");
    expect(long).toMatchObject({
      delimiter: "|",
      decimalMark: ",",
      time: 4,
      machine: 3,
      machineSamples: ["filler"],
      samples: { shape: "long", metric: 1, value: 0 },
      notes: ['column "Quality" is left out'],
    });
  });

  it("takes a machine column beside a column a metric", () => {
    const wide = layout("time,machine,speed", "1700000000,a,1", "1700000001,b,2");
    expect(wide).toMatchObject({ machine: 1, machineSamples: ["a", "b"] });
    expect(wide.samples).toEqual({ shape: "wide", columns: [{ index: 2, metric: "speed" }] });
  });

  it("finds the time by its content when its name says nothing", () => {
    expect(layout("Aufnahme,Druck", "2024-01-01 00:00:00,1").time).toBe(0);
    expect(layout("Druck,Time (UTC)", "1,2024-01-01 00:00:00").time).toBe(1);
    // A counter looks like an epoch, so digits count under a time's name alone.
    expect(() => layout("a,b", "1700000000,1")).toThrow("has no time column");
  });

  it("prefers the named column that really holds a time", () => {
    expect(layout("date,timestamp,a", "monday,2024-01-01 00:00:00,1").time).toBe(1);
  });

  it("leaves out text, and columns without a name", () => {
    const rows = [
      "0,2024-01-01 00:00:00,ann,1,",
      "1,2024-01-01 00:00:01,bob,2,",
      "2,2024-01-01 00:00:02,eve,3,",
    ];
    const wide = layout(",time,operator,speed,", ...rows);
    expect(wide.samples).toEqual({ shape: "wide", columns: [{ index: 3, metric: "speed" }] });
    expect(wide.notes).toEqual([
      'column "operator" holds text, not numbers, and is left out',
      "column 1 has no name and is left out",
    ]);
  });

  it("does not take a metric for text because its first values are missing or bad", () => {
    const rows = ["2024-01-01 00:00:00,NaN", "2024-01-01 00:00:01,", "2024-01-01 00:00:02,oops"];
    expect(layout("time,a", ...rows).samples).toMatchObject({ columns: [{ metric: "a" }] });
  });

  it("takes a header without records, and blank lines above it", () => {
    expect(layout("time,a")).toMatchObject({ headerLine: 1, time: 0 });
    expect(layout("", "  ", "time,a", "2024-01-01 00:00:00,1").headerLine).toBe(3);
  });

  it.each([
    ["nothing at all", [""], "is empty"],
    ["prose", ["Dear all", "see you"], "is no table"],
    [
      "data in the first line",
      ["2024-01-01 00:00:00,1", "2024-01-01 00:00:01,2"],
      "has no header: line 1 is data",
    ],
    ["numbers in the first line", ["1,2", "3,4"], "has no header"],
    ["no time", ["a,b", "1,2"], "has no time column"],
    ["a time in another order", ["time,a", "03/09/2020 10:14,1"], 'column "time" holds "03/09/2020 10:14"'],
    ["two times", ["start,end", "2024-01-01 00:00:00,2024-01-01 00:00:01"], "several columns with times"],
    [
      "time alone",
      ["time,who", ...["a", "b", "c"].map((x) => `2024-01-01 00:00:00,${x}`)],
      "no column with numbers",
    ],
    ["a name twice", ["time,A,a", "2024-01-01 00:00:00,1,2"], 'two columns called "a"'],
  ])("refuses %s", (_what, lines, message) => {
    expect(() => layout(...lines)).toThrow(message);
    expect(() => layout(...lines)).toThrow(UserError);
  });
});
