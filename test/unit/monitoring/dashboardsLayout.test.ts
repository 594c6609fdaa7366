import fc from "fast-check";
import { expect, it } from "vitest";
import { columns, layOut } from "../../../infra/monitoring/dashboards/layout";

it("goes from left to right, then to the next line, below the highest of the one before", () => {
  const sizes = [
    { width: 12, height: 4 },
    { width: 8, height: 6 },
    { width: 8, height: 3 },
    { width: 16, height: 3 },
  ];
  expect(layOut(sizes, 1)).toEqual({
    places: [
      { x: 0, y: 1, w: 12, h: 4 },
      { x: 12, y: 1, w: 8, h: 6 },
      { x: 0, y: 7, w: 8, h: 3 },
      { x: 8, y: 7, w: 16, h: 3 },
    ],
    bottom: 10,
  });
});

it("puts nothing on anything else, nor outside", () => {
  const size = fc.record({
    width: fc.integer({ min: 1, max: columns }),
    height: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(size, { maxLength: 30 }), fc.nat(100), (sizes, top) => {
      const { places, bottom } = layOut(sizes, top);
      const cells = places.flatMap(({ x, y, w, h }) => {
        expect(x + w).toBeLessThanOrEqual(columns);
        expect(y).toBeGreaterThanOrEqual(top);
        expect(y + h).toBeLessThanOrEqual(bottom);
        return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
      });
      expect(new Set(cells).size).toBe(cells.length);
    }),
  );
});

it("refuses what is wider than the grid", () => {
  expect(() => layOut([{ width: 25, height: 1 }], 0)).toThrow("a panel of 25 columns does not fit into 24");
});
