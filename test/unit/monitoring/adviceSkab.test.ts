// How well anomalies are found in labelled files of a real machine; docs/advice.md has the table, `-u` writes it.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesOf } from "../../../ops/bench/telemetryFiles";
import { defaultThreshold, scoreMachine } from "../../../ops/monitoring/advice/anomalies";
import { mean, standardDeviation } from "../../../ops/monitoring/advice/statistics";
import { projectRoot } from "../../../ops/paths";
import { table } from "../../../ops/preview/markdown";
import { realTelemetry } from "../../support/realTelemetry";

/** SKAB's convention: a file begins with a normal time to learn from. */
const reference = 400;
/** Thresholds are chosen on these; what is reported is of the others. */
const tuningFiles = 3;
const page = join(projectRoot, "docs/advice.md");

interface Labelled {
  readonly name: string;
  /** Readings of each sensor. */
  readonly sensors: readonly (readonly number[])[];
  readonly anomalous: readonly boolean[];
}

interface Counts {
  readonly hits: number;
  readonly falseAlarms: number;
  readonly missed: number;
}

function labelledFiles(folder: string): Labelled[] {
  return filesOf(folder, "skab")
    .sort()
    .flatMap((file) => {
      const [header = "", ...lines] = readFileSync(file, "utf8").trim().split(/\r?\n/);
      const names = header.split(";");
      const label = names.indexOf("anomaly");
      if (label < 0) return [];
      const rows = lines.map((line) => line.split(";").map(Number));
      const readings = names.flatMap((name, at) =>
        ["datetime", "anomaly", "changepoint"].includes(name) ? [] : at,
      );
      return {
        name: basename(file, ".csv"),
        sensors: readings.map((at) => rows.map((row) => row[at] ?? Number.NaN)),
        anomalous: rows.map((row) => row[label] === 1),
      };
    });
}

type Detector = (file: Labelled) => readonly number[];

const ours: Detector = ({ sensors }) => scoreMachine(sensors, reference).map(({ score }) => score);

/** The usual first try: any sensor beyond so many standard deviations of the normal part. */
const zScore: Detector = ({ sensors }) => {
  const normal = sensors.map((values) => values.slice(0, reference));
  const [means, spreads] = [normal.map(mean), normal.map(standardDeviation)];
  return (sensors[0] ?? []).map((_, row) =>
    Math.max(
      ...sensors.map(
        (values, at) => Math.abs((values[row] ?? 0) - (means[at] ?? 0)) / Math.max(spreads[at] ?? 1, 1e-9),
      ),
    ),
  );
};

/** What nobody should be proud to beat, and few do: F1 is high where a third of all rows are anomalous. */
const everything: Detector = ({ anomalous }) => anomalous.map(() => 1);

function count(file: Labelled, detector: Detector, threshold: number): Counts {
  const scores = detector(file);
  const counts = { hits: 0, falseAlarms: 0, missed: 0 };
  for (let row = reference; row < file.anomalous.length; row += 1) {
    const flagged = (scores[row] ?? 0) >= threshold;
    if (flagged && file.anomalous[row]) counts.hits += 1;
    else if (flagged) counts.falseAlarms += 1;
    else if (file.anomalous[row]) counts.missed += 1;
  }
  return counts;
}

function add(all: readonly Counts[]): Counts {
  return {
    hits: all.reduce((total, { hits }) => total + hits, 0),
    falseAlarms: all.reduce((total, { falseAlarms }) => total + falseAlarms, 0),
    missed: all.reduce((total, { missed }) => total + missed, 0),
  };
}

function rates({ hits, falseAlarms, missed }: Counts) {
  return {
    precision: hits / Math.max(1, hits + falseAlarms),
    recall: hits / Math.max(1, hits + missed),
    f1: (2 * hits) / Math.max(1, 2 * hits + falseAlarms + missed),
  };
}

const overall = (files: readonly Labelled[], detector: Detector, threshold: number) =>
  rates(add(files.map((file) => count(file, detector, threshold))));

function chooseThreshold(
  files: readonly Labelled[],
  detector: Detector,
  candidates: readonly number[],
): number {
  return candidates
    .map((threshold) => ({ threshold, f1: overall(files, detector, threshold).f1 }))
    .reduce((best, one) => (one.f1 > best.f1 ? one : best)).threshold;
}

const halves = (from: number, to: number) =>
  Array.from({ length: 2 * (to - from) + 1 }, (_, index) => from + index / 2);

describe.skipIf(realTelemetry === undefined)("anomalies of the labelled SKAB files", () => {
  const files = realTelemetry === undefined ? [] : labelledFiles(realTelemetry);
  const [tuning, held] = [files.slice(0, tuningFiles), files.slice(tuningFiles)];
  const zThreshold = chooseThreshold(tuning, zScore, halves(2, 6));
  const detectors: [string, Detector, number][] = [
    ["ours", ours, defaultThreshold],
    ["z-score", zScore, zThreshold],
    ["flag every row", everything, 1],
  ];

  it("there are files with labels to learn from, and others to try on", () => {
    expect(tuning).toHaveLength(tuningFiles);
    expect(held.length).toBeGreaterThanOrEqual(3);
  });

  it("the default threshold is the one that the tuning files choose", () => {
    expect(chooseThreshold(tuning, ours, halves(2, 6))).toBe(defaultThreshold);
  });

  it("finds more of what is wrong, with fewer false alarms, than a z-score does", () => {
    const [found, baseline, all] = detectors.map(([, detector, threshold]) =>
      overall(held, detector, threshold),
    );
    expect(found?.f1).toBeGreaterThan(0.78);
    expect(found?.precision).toBeGreaterThan(0.68);
    expect(found?.recall).toBeGreaterThan(0.9);
    expect(found?.f1).toBeGreaterThan((baseline?.f1 ?? 1) + 0.02);
    expect(found?.f1).toBeGreaterThan((all?.f1 ?? 1) + 0.05);
  });

  it("docs/advice.md has what was measured", async () => {
    const two = (value: number) => value.toFixed(2);
    const row = (name: string, of: readonly Labelled[]) => [
      name,
      ...detectors.flatMap(([, detector, threshold]) => {
        const { precision, recall, f1 } = overall(of, detector, threshold);
        return [`${two(precision)} / ${two(recall)} / **${two(f1)}**`];
      }),
    ];
    const measured = table(
      [
        "file",
        ...detectors.map(([name, , threshold]) =>
          name === "flag every row" ? name : `${name} (≥ ${threshold})`,
        ),
      ],
      [
        ...tuning.map((file) => row(`${file.name} (tuning)`, [file])),
        ...held.map((file) => row(file.name, [file])),
        row("**all but tuning**", held),
      ],
    );
    const text = readFileSync(page, "utf8");
    const [begin, end] = ["<!-- skab: begin -->", "<!-- skab: end -->"];
    const [before, rest = ""] = text.split(begin);
    const after = rest.split(end)[1];
    if (after === undefined) throw new Error(`${page} lacks ${begin} or ${end}`);
    await expect(`${before}${begin}\n${measured.trim()}\n${end}${after}`).toMatchFileSnapshot(page);
  });
});

it.runIf(realTelemetry === undefined)("labelled files are not here: only generated faults were tried", () => {
  expect(realTelemetry).toBeUndefined();
});
