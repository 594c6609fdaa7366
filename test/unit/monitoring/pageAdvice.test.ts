import { expect, it } from "vitest";
import { chunkIntervalItems, columnstoreItems } from "../../../ops/monitoring/page/adviceItems.js";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

it("lists advice on the columnstore, what wastes something first", () => {
  const items = columnstoreItems({
    unavailable: null,
    hypertables: [
      { name: "fine", kind: "table", advice: [] },
      {
        name: "two",
        kind: "table",
        advice: [
          { severity: "info", reason: "it could be better", key: "tables.two.after", value: "7 days" },
          { severity: "warning", reason: "space is wasted", key: "tables.two.segmentBy", value: ["a", "b"] },
          { severity: "warning", reason: "the database is wrong", key: null, value: null },
        ],
      },
    ],
  });
  expect(items).toEqual([
    {
      hypertable: "two",
      sign: "look",
      headline: "Should change",
      why: ["Space is wasted."],
      setting: "tables.two.segmentBy: [a, b]",
    },
    {
      hypertable: "two",
      sign: "look",
      headline: "Should change",
      why: ["The database is wrong."],
      setting: undefined,
    },
    {
      hypertable: "two",
      sign: "unknown",
      headline: "Could be better",
      why: ["It could be better."],
      setting: "tables.two.after: 7 days",
    },
    { hypertable: "fine", sign: "good", headline: "As it should be", why: [], setting: undefined },
  ]);
});

it("lists chunk intervals, those to change first", () => {
  const day = 86_400;
  const items = chunkIntervalItems({
    hypertables: [
      {
        name: "keep",
        chunkIntervalSeconds: day,
        advisedSeconds: day,
        why: ["fits memory"],
        key: null,
        value: null,
      },
      { name: "few", chunkIntervalSeconds: day, advisedSeconds: null, why: [], key: null, value: null },
      {
        name: "change",
        chunkIntervalSeconds: 7 * day,
        advisedSeconds: day,
        why: [],
        key: "tables.change.chunkInterval",
        value: "1 day",
      },
    ],
  });
  expect(
    items.map(({ hypertable, sign, headline, setting }) => [hypertable, sign, plain(headline), setting]),
  ).toEqual([
    ["change", "look", "1 day instead of 7 days", "tables.change.chunkInterval: 1 day"],
    ["few", "unknown", "1 day; too few rows to say", undefined],
    ["keep", "good", "Leave it at 1 day", undefined],
  ]);
});
