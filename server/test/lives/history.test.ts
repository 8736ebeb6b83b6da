import { expect, test } from "vitest";
import { type Asked, violations } from "./history.ts";

const END_MS = 1_000_000;
const ends = new Map([["old", END_MS]]);

const asked = (given: Partial<Asked>): Asked => ({
  place: "node-1",
  key: "old",
  invokedMs: END_MS - 10,
  returnedMs: END_MS - 5,
  outcome: "accepted",
  ...given,
});

const found = (given: Partial<Asked>) =>
  violations([asked(given)], ends, { "node-2": -2_000, "node-3": 2_000 }).length;

test("a verdict that its key's end explains is fine", () => {
  for (const fine of [
    {},
    { invokedMs: END_MS - 1, returnedMs: END_MS + 500 },
    { invokedMs: END_MS - 1, returnedMs: END_MS, outcome: "expired" },
    { invokedMs: END_MS + 9, returnedMs: END_MS + 10, outcome: "expired" },
    { key: "new", invokedMs: END_MS * 2, returnedMs: END_MS * 2 },
    { returnedMs: END_MS - 5, outcome: "unavailable" },
    { invokedMs: END_MS * 2, outcome: "unavailable" },
  ] satisfies Partial<Asked>[])
    expect(found(fine), JSON.stringify(fine)).toBe(0);
});

test("an accept after the end is found, and a refusal before it", () => {
  for (const wrong of [
    { invokedMs: END_MS, returnedMs: END_MS + 1 },
    { returnedMs: END_MS - 1, outcome: "expired" },
    { key: "new", outcome: "expired" },
  ] satisfies Partial<Asked>[])
    expect(found(wrong), JSON.stringify(wrong)).toBe(1);
});

test("a clock that is off is allowed exactly that", () => {
  const at = (ms: number) => ({ invokedMs: END_MS + ms, returnedMs: END_MS + ms });
  expect(found({ place: "node-2", ...at(1_999) })).toBe(0);
  expect(found({ place: "node-2", ...at(2_000) })).toBe(1);
  expect(found({ place: "node-2", ...at(1_999), outcome: "expired" })).toBe(1);
  expect(found({ place: "node-3", ...at(-2_001) })).toBe(0);
  expect(found({ place: "node-3", ...at(-2_000) })).toBe(1);
  expect(found({ place: "node-3", ...at(-2_001), outcome: "expired" })).toBe(1);
});
