import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fileStem,
  machineCode,
  machineCodeShape,
  machineOfFile,
  matchMachine,
} from "../../ops/ingest/machineNames";
import { matchMetric, metricCode, splitUnit } from "../../ops/ingest/metricNames";

const dictionary = {
  metrics: [
    { id: 1, code: "temperature", name: "Temperature", unit: "°C" },
    { id: 2, code: "motor_current", name: "Motor current", unit: "A" },
    { id: 3, code: "pieces", name: "Good pieces", unit: "" },
  ],
  aliases: new Map([["gutteile", 3]]),
};

describe("metric names", () => {
  it.each([
    ["Temperature [°C]", "Temperature", "°C"],
    ["Temp (°C)", "Temp", "°C"],
    ["Flow (m³/h)", "Flow", "m³/h"],
    ["Noise (dB(A))", "Noise", "dB(A)"],
    ["Pressure (inlet)", "Pressure (inlet)", ""],
    ["power_kw", "power_kw", ""],
    ["[V]", "[V]", ""],
  ])("splits %s", (header, name, unit) => {
    expect(splitUnit(header)).toEqual({ name, unit });
  });

  it.each([
    ["Volume Flow RateRMS", "volume_flow_raterms"],
    ["Größe 1", "grosse_1"],
    ["Débit d'eau", "debit_d_eau"],
    ["µ-Schalter", "u_schalter"],
  ])("makes a code of %s", (name, code) => {
    expect(metricCode(name)).toBe(code);
  });

  it("keeps names apart that Latin letters cannot tell apart", () => {
    expect(metricCode("温度")).toMatch(/^metric_[0-9a-f]{8}$/);
    expect(metricCode("温度")).not.toBe(metricCode("圧力"));
    expect(metricCode("温度 1")).toMatch(/^1_[0-9a-f]{8}$/);
    expect(metricCode("a".repeat(70))).not.toBe(metricCode("a".repeat(71)));
  });

  it("makes codes that the dictionary takes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }), (name) => {
        expect(metricCode(name)).toMatch(/^[a-z0-9][a-z0-9_]{0,62}$/);
      }),
    );
  });

  it.each([
    ["temperature", 1],
    ["TEMPERATURE", 1],
    ["Temperature [°C]", 1],
    ["Temperature (C)", 1],
    ["Motor-Current", 2],
    ["good pieces", 3],
    ["Gutteile", 3],
  ])("finds %s in the dictionary", (header, id) => {
    expect(matchMetric(header, dictionary)).toMatchObject({ id });
  });

  it("adds what it does not know, with its unit", () => {
    expect(matchMetric("Torque [Nm]", dictionary)).toEqual({
      code: "torque",
      name: "Torque",
      unit: "Nm",
      kind: "gauge",
    });
    expect(matchMetric("anomaly", dictionary)).toMatchObject({ code: "anomaly", kind: "state" });
    expect(matchMetric("pump_alarm", dictionary)).toMatchObject({ kind: "state" });
  });

  it("never puts another unit into a metric", () => {
    const fahrenheit = matchMetric("Temperature [°F]", dictionary);
    expect(fahrenheit).toEqual({ code: "temperature_f", name: "Temperature", unit: "°F", kind: "gauge" });
    const grown = { ...dictionary, metrics: [...dictionary.metrics, { ...fahrenheit, id: 9 }] };
    expect(matchMetric("Temperature [°F]", grown)).toMatchObject({ id: 9 });
    expect(matchMetric("Temperature", grown)).toMatchObject({ id: 1 });
  });
});

describe("machine names", () => {
  const machines = [
    { id: 1, code: "filler-1", name: "Filler 1", timezone: "Europe/Berlin" },
    { id: 2, code: "F2", name: "Capper", timezone: "UTC" },
  ];

  it.each([
    ["filler-1", 1],
    ["FILLER-1", 1],
    ["filler 1", 1],
    ["capper", 2],
    ["filler", 0],
  ])("finds %s", (name, id) => {
    expect(matchMachine(name, machines)?.id ?? 0).toBe(id);
  });

  it("makes codes that the table takes, or none", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 90 }), (name) => {
        const code = machineCode(name);
        if (code !== "") expect(code).toMatch(machineCodeShape);
      }),
    );
  });

  it("derives the machine from the folder, and a metric from the file", () => {
    expect(machineOfFile("/data/skab/valve1-0.csv")).toBe("skab");
    expect(machineOfFile("/data/Filler 1/2024.csv.gz")).toBe("Filler-1");
    expect(machineOfFile("/pump.csv")).toBe("pump");
    expect(fileStem("/data/nab/oven temperature.csv.gz")).toBe("oven temperature");
    expect(fileStem("a.b.tsv")).toBe("a.b");
  });
});
