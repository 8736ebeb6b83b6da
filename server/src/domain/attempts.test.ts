import { expect, test } from "vitest";
import { attemptCounter } from "./attempts.ts";

const RULE = { max: 3, windowMs: 60_000 };

test("a key has its attempts in a window, and all of them again in the next", () => {
  const attempts = attemptCounter(10);
  expect([0, 1, 2].map((ms) => attempts.take("a", RULE, ms))).toEqual([0, 0, 0]);
  expect(attempts.take("a", RULE, 10_000)).toBe(50_000);
  expect(attempts.take("b", RULE, 10_000)).toBe(0);
  expect(attempts.take("a", RULE, 59_999)).toBe(1);
  expect(attempts.take("a", RULE, 60_000)).toBe(0);
});

test("an attempt given back can be taken again; a forgotten key starts anew", () => {
  const attempts = attemptCounter(10);
  for (let i = 0; i < 3; i++) attempts.take("a", RULE, 0);
  attempts.giveBack("a");
  expect(attempts.take("a", RULE, 0)).toBe(0);
  expect(attempts.take("a", RULE, 0)).toBe(60_000);
  attempts.forget("a");
  expect(attempts.take("a", RULE, 0)).toBe(0);
});

test("no more keys are remembered than the bound; the oldest goes first", () => {
  const attempts = attemptCounter(2);
  for (let i = 0; i < 3; i++) attempts.take("a", RULE, 0);
  attempts.take("b", RULE, 0);
  expect(attempts.take("a", RULE, 0)).toBeGreaterThan(0);
  attempts.take("c", RULE, 0);
  expect(attempts.take("a", RULE, 0)).toBe(0);
});
