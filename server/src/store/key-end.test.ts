import { describe, expect, test } from "vitest";
import { endInOverlap, endWithin, isSooner, latestEnd, soonest } from "./key-end.ts";

const DAY_MS = 24 * 60 * 60_000;
const MADE_MS = 1_767_225_600_123;

describe("the latest end of a key", () => {
  test("counts from when it was made, or from when the maximum age was set", () => {
    expect(latestEnd(null, MADE_MS)).toBeNull();
    for (const sinceMs of [MADE_MS - DAY_MS, MADE_MS])
      expect(latestEnd({ maxAgeMs: DAY_MS, sinceMs }, MADE_MS)).toBe(MADE_MS + DAY_MS);
    const later = { maxAgeMs: DAY_MS, sinceMs: MADE_MS + 7 };
    expect(latestEnd(later, MADE_MS)).toBe(MADE_MS + 7 + DAY_MS);
  });

  test("bounds the usual end, and refuses a later one that is named", () => {
    const latestMs = MADE_MS + DAY_MS;
    for (const ms of [null, latestMs, latestMs + 1]) {
      expect(endWithin({ usual: ms }, latestMs)).toBe(latestMs);
      expect(endWithin({ named: ms }, latestMs)).toBe(ms === latestMs ? latestMs : "too_late");
    }
    for (const ask of [{ usual: latestMs - 1 }, { named: latestMs - 1 }])
      expect(endWithin(ask, latestMs)).toBe(latestMs - 1);
    for (const ms of [null, 0, latestMs]) {
      expect(endWithin({ usual: ms }, null)).toBe(ms);
      expect(endWithin({ named: ms }, null)).toBe(ms);
    }
  });
});

test("an overlap ends a key once it has started, and never after its own end", () => {
  expect(endInOverlap(null, null, DAY_MS)).toBeNull();
  expect(endInOverlap(MADE_MS + 5, null, 1)).toBe(MADE_MS + 5);
  expect(endInOverlap(null, MADE_MS, DAY_MS)).toBe(MADE_MS + DAY_MS);
  expect(endInOverlap(MADE_MS + DAY_MS + 1, MADE_MS, DAY_MS)).toBe(MADE_MS + DAY_MS);
  expect(endInOverlap(MADE_MS + DAY_MS - 1, MADE_MS, DAY_MS)).toBe(MADE_MS + DAY_MS - 1);
});

test("never is later than any end, and not than itself", () => {
  expect([isSooner(null, null), isSooner(null, 1), isSooner(1, null)]).toEqual([
    false,
    false,
    true,
  ]);
  expect([isSooner(1, 1), isSooner(1, 2), isSooner(2, 1)]).toEqual([false, true, false]);
  expect([soonest(null, null), soonest(null, 1), soonest(2, 1)]).toEqual([null, 1, 1]);
});
