import { describe, expect, test } from "vitest";
import { idleness, isInUse, type KeyUse, lastUseOf } from "../../../dashboard/src/last-use.ts";

const nowMs = Date.parse("2026-05-03T12:00:00.000Z");
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const ago = (ms: number): string => new Date(nowMs - ms).toISOString();

const use = (lastUsedAt: string | null, of: Partial<KeyUse> = {}) =>
  lastUseOf({ lastUsedAt, callersLastDay: 0, latestAddress: null, ...of }, nowMs);

describe("whether somebody would notice that a key is gone", () => {
  test.each<[string, ReturnType<typeof use>, string, string]>([
    [
      "used two minutes ago by three callers",
      use(ago(2 * minute), { callersLastDay: 3, latestAddress: "203.0.113.7" }),
      "in_use",
      "In use: 3 callers in the last 24 h, latest 2 minutes ago from 203.0.113.7.",
    ],
    [
      "one caller is not two",
      use(ago(5 * hour), { callersLastDay: 1, latestAddress: "2001:db8::1" }),
      "in_use",
      "In use: 1 caller in the last 24 h, latest 5 hours ago from 2001:db8::1.",
    ],
    ["callers are not kept", use(ago(10_000)), "in_use", "In use: latest just now."],
    ["used 24 hours ago to the millisecond", use(ago(day)), "in_use", "In use: latest yesterday."],
    ["a moment longer ago", use(ago(day + 1)), "recent", "Last used yesterday."],
    [
      "used five days ago",
      use(ago(5 * day), { latestAddress: "203.0.113.7" }),
      "recent",
      "Last used 5 days ago from 203.0.113.7.",
    ],
    ["a moment short of 30 days", use(ago(30 * day - 1)), "recent", "Last used 30 days ago."],
    ["30 days ago", use(ago(30 * day)), "quiet", "Nobody has used this key for 30 days."],
    [
      "a year ago; who it was then is no reason to hesitate",
      use(ago(365 * day), { latestAddress: "203.0.113.7" }),
      "quiet",
      "Nobody has used this key for 30 days.",
    ],
    ["never", use(null), "never", "This key has never been used."],
    [
      "a moment that this computer's clock has not reached",
      use(ago(-3 * minute), { callersLastDay: 2 }),
      "in_use",
      "In use: 2 callers in the last 24 h, latest just now.",
    ],
  ])("%s", (_name, said, state, sentence) => {
    expect(said).toEqual({ state, sentence });
  });

  test("in use means within the last 24 hours, everywhere", () => {
    expect(isInUse(ago(day), nowMs)).toBe(true);
    expect(isInUse(ago(day + 1), nowMs)).toBe(false);
    expect(isInUse(null, nowMs)).toBe(false);
  });
});

describe("the badge of a key that nobody seems to need", () => {
  test.each<[string, string | null, string, ReturnType<typeof idleness>]>([
    ["never used, a week old", null, ago(7 * day), null],
    ["never used, older than a week", null, ago(7 * day + 1), "Never used"],
    ["used 90 days ago", ago(90 * day), ago(400 * day), null],
    ["used more than 90 days ago", ago(90 * day + 1), ago(400 * day), "Unused for 90 days"],
    ["used today, old", ago(hour), ago(400 * day), null],
  ])("%s", (_name, lastUsedAt, createdAt, badge) => {
    expect(idleness({ createdAt, lastUsedAt }, nowMs)).toBe(badge);
  });
});
