import { expect, test } from "vitest";
import { sparkline } from "./sparkline.ts";

test.each([
  [[], 10, ""],
  [[0, 0], 10, "  "],
  [[1, 0, 8, 4], 10, "▁ █▄"],
  [[1, 1_000_000], 10, "▁█"],
  [[1, 1, 2, 2, 4], 3, "▄██"],
  [[5], 0, "█"],
])("%j in %i columns is %j", (counts, columns, line) => {
  expect(sparkline(counts, columns)).toBe(line);
});
