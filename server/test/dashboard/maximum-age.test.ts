import { describe, expect, test } from "vitest";
import {
  isShorter,
  MAXIMUM_AGES,
  maximumAgeChoiceOf,
  maximumAgePreview,
  maximumAgeProblem,
  maximumDaysOf,
} from "../../../dashboard/src/maximum-age-choices.ts";

describe("the maximum age of keys", () => {
  test.each([
    ["none", "", null],
    ["90", "", 90],
    ["own", "45", 45],
    ["own", " 3650 ", 3_650],
    ["own", "3651", undefined],
    ["own", "0", undefined],
    ["own", "-1", undefined],
    ["own", "1.5", undefined],
    ["own", "1e2", undefined],
    ["own", "", undefined],
  ])("chosen as %s, with %j typed, is %s days", (age, days, chosen) => {
    expect(maximumDaysOf({ age, days })).toBe(chosen);
    expect(maximumAgeProblem({ age, days }) === null).toBe(chosen !== undefined);
  });

  test("that is set is what the form begins with", () => {
    for (const days of [null, 1, 30, 45, 365, 3_650])
      expect(maximumDaysOf(maximumAgeChoiceOf(days))).toBe(days);
    expect(maximumAgeChoiceOf(45).age).toBe("own");
    expect(MAXIMUM_AGES.map(({ value }) => value)).toContain(maximumAgeChoiceOf(180).age);
  });

  const keep = "Keys that end keep the end they have.";
  test.each([
    [null, null, "That is what it is now.", false],
    [90, 90, "That is what it is now.", false],
    [
      null,
      90,
      "Keys that would live longer end at most 90 days from now. New keys live at most 90 days.",
      true,
    ],
    [
      90,
      1,
      "Keys that would live longer end at most 1 day from now. New keys live at most 1 day.",
      true,
    ],
    [30, 90, `New keys live at most 90 days. ${keep}`, false],
    [90, null, `New keys live as long as they are wanted. ${keep}`, false],
  ])("from %s to %s: %s", (before, after, words, shorter) => {
    expect(maximumAgePreview(before, after)).toBe(words);
    expect(isShorter(before, after)).toBe(shorter);
  });
});
