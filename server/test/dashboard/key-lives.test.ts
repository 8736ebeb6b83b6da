import type { ApiKeyJson } from "@latchkey/sdk/client";
import { describe, expect, test } from "vitest";
import {
  endOf,
  expiriesWithin,
  expiryIn,
  expiryProblem,
  limitOf,
  limitOfNew,
} from "../../../dashboard/src/expiry-choices.ts";
import { mayHaveOldKey, pairUp } from "../../../dashboard/src/key-pairs.ts";
import { endsSoon } from "../../../dashboard/src/key-state.ts";
import { successorEnd } from "../../../dashboard/src/lifetimes.ts";
import { isRotatable, overlapOf, timeLeft } from "../../../dashboard/src/overlap.ts";
import {
  OVERLAP_PRESETS,
  overlapChoiceOf,
  overlapProblem,
  overlapSecondsOf,
} from "../../../dashboard/src/overlap-choices.ts";
import { formatMoment, formatSpan, localDateTime } from "../../../dashboard/src/times.ts";
import { oldPercent, splitsOf, splitWords } from "../../../dashboard/src/traffic-split.ts";

const nowMs = Date.parse("2026-05-03T12:00:00.000Z");
const hour = 60 * 60_000;
const day = 24 * hour;
const at = (ms: number): string => new Date(nowMs + ms).toISOString();
const person = { type: "person", id: "per_1", name: "Ada" } as const;

const keyOf = (id: string, facts: Partial<ApiKeyJson> = {}): ApiKeyJson => ({
  id,
  environment: "production",
  type: "secret",
  description: "",
  metadata: {},
  hint: `sk_…${id}`,
  created_at: at(-10 * day),
  created_by: person,
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  revoked_by: null,
  revoked_reason: null,
  revocation: null,
  rotated_from: null,
  rotated_to: null,
  overlap: null,
  ...facts,
});

/** An old key of which `endsInMs` are left, or that waits. */
const oldKey = (id: string, to: string, endsInMs: number | null): ApiKeyJson =>
  keyOf(id, {
    rotated_to: to,
    overlap: { seconds: 86_400, started_at: endsInMs === null ? null : at(-hour) },
    expires_at: endsInMs === null ? null : at(endsInMs),
  });

describe("what is left of an overlap", () => {
  test.each([
    ["that runs", oldKey("a", "b", 3 * hour), "Ends in 3 hours"],
    ["that has seconds left", oldKey("a", "b", 20_000), "Ends in a moment"],
    ["that waits", oldKey("a", "b", null), "Waits for the first use of the new key"],
    [
      "that waits, of a key with an end of its own",
      { ...oldKey("a", "b", null), expires_at: at(5 * day) },
      "Waits for the first use of the new key; ends in 5 days at the latest",
    ],
  ])("is told of one %s", (_, key, words) => {
    const overlap = overlapOf(key, nowMs);
    expect(overlap === null ? null : timeLeft(overlap, nowMs)).toBe(words);
  });

  test.each([
    ["never rotated", keyOf("a")],
    ["past its end", oldKey("a", "b", -1)],
    ["at its end to the millisecond", oldKey("a", "b", 0)],
    ["revoked meanwhile", { ...oldKey("a", "b", hour), revoked_at: at(-1) }],
  ])("is nothing of a key that is %s", (_, key) => {
    expect(overlapOf(key, nowMs)).toBeNull();
  });
});

describe("a key can be rotated", () => {
  const revoked = keyOf("b", { revoked_at: at(-1) });
  const expired = keyOf("b", { expires_at: at(-1) });
  test.each([
    ["when it is active", keyOf("a"), undefined, true],
    ["not when it is revoked", keyOf("a", { revoked_at: at(-1) }), undefined, false],
    ["not when it has expired", keyOf("a", { expires_at: at(-1) }), undefined, false],
    ["not while it is being rotated", oldKey("a", "b", hour), keyOf("b"), false],
    ["not while nobody knows of its successor", oldKey("a", "b", hour), undefined, false],
    ["again when its successor is revoked", oldKey("a", "b", hour), revoked, true],
    ["again when its successor has expired", oldKey("a", "b", hour), expired, true],
    ["not because some other key is revoked", oldKey("a", "c", hour), revoked, false],
  ])("%s", (_, key, successor, answer) => {
    expect(isRotatable(key, nowMs, successor)).toBe(answer);
  });
});

describe("an end is soon", () => {
  test.each([
    ["a week before it", keyOf("a", { expires_at: at(7 * day) }), true],
    ["not a moment earlier", keyOf("a", { expires_at: at(7 * day + 1) }), false],
    ["not when it has passed", keyOf("a", { expires_at: at(0) }), false],
    ["not of a revoked key", keyOf("a", { expires_at: at(day), revoked_at: at(-1) }), false],
    ["never of a key without one", keyOf("a"), false],
  ])("%s", (_, key, soon) => {
    expect(endsSoon(key, nowMs)).toBe(soon);
  });
});

describe("pairs of a page", () => {
  const ids = (keys: readonly ApiKeyJson[]): string[] => keys.map(({ id }) => id);

  test("stand together where the successor is, and all others stay in their order", () => {
    const keys = [keyOf("n1"), keyOf("x"), keyOf("n2"), oldKey("o1", "n1", hour), keyOf("y")];
    const paired = pairUp([...keys, oldKey("o2", "n2", null)], nowMs);
    expect(ids(paired.rows)).toEqual(["n1", "o1", "x", "n2", "o2", "y"]);
    expect([...paired.old].sort()).toEqual(["o1", "o2"]);
    expect([...paired.successors].sort()).toEqual(["n1", "n2"]);
    expect(paired.rotations).toEqual([
      { oldId: "o1", newId: "n1" },
      { oldId: "o2", newId: "n2" },
    ]);
  });

  test("whose successor is on another page stay where they are, and count as rotations", () => {
    const paired = pairUp([keyOf("x"), oldKey("o", "elsewhere", hour)], nowMs);
    expect(ids(paired.rows)).toEqual(["x", "o"]);
    expect(paired.old.size + paired.successors.size).toBe(0);
    expect(paired.rotations).toEqual([{ oldId: "o", newId: "elsewhere" }]);
  });

  test("that are over are none", () => {
    const over = oldKey("o", "n", -1);
    expect(ids(pairUp([keyOf("x"), over, keyOf("n")], nowMs).rows)).toEqual(["x", "o", "n"]);
    expect(pairUp([over, keyOf("n")], nowMs).rotations).toEqual([]);
  });

  test("may be torn apart for as long as an overlap can last", () => {
    const made = (ms: number) => keyOf("n", { rotated_from: "o", created_at: at(ms) });
    expect(mayHaveOldKey(made(-30 * day), nowMs)).toBe(true);
    expect(mayHaveOldKey(made(-30 * day - 1), nowMs)).toBe(false);
    expect(mayHaveOldKey(keyOf("n", { created_at: at(0) }), nowMs)).toBe(false);
  });

  test("of a key that is rotated while its predecessor lives are three in a row", () => {
    const middle = oldKey("b", "c", hour);
    const paired = pairUp([keyOf("c"), keyOf("x"), middle, oldKey("a", "b", hour)], nowMs);
    expect(ids(paired.rows)).toEqual(["c", "b", "a", "x"]);
    expect([...paired.old].sort()).toEqual(["a", "b"]);
  });
});

describe("the traffic of a pair", () => {
  test.each([
    [{ old: 0, next: 0 }, null, "Neither was used in the last hour"],
    [{ old: 12, next: 88 }, 12, "12% old · 88% new in the last hour"],
    [{ old: 0, next: 5 }, 0, "0% old · 100% new in the last hour"],
    [{ old: 5, next: 0 }, 100, "100% old · 0% new in the last hour"],
    [{ old: 1, next: 100_000 }, 0, "Under 1% old · over 99% new in the last hour"],
    [{ old: 100_000, next: 1 }, 100, "Over 99% old · under 1% new in the last hour"],
    [{ old: 1, next: 2 }, 33, "33% old · 67% new in the last hour"],
  ])("%o reads %s", (split, percent, words) => {
    expect(oldPercent(split)).toBe(percent);
    expect(splitWords(split)).toBe(words);
  });

  test("counts what was accepted of its own two keys, and nothing else", () => {
    const entry = (api_key_id: string, count: number, outcome: "accepted" | "expired") => ({
      at: at(0),
      api_key_id,
      count,
      outcome,
    });
    const entries = [
      entry("o", 1, "accepted"),
      entry("o", 2, "accepted"),
      entry("o", 50, "expired"),
      entry("n", 4, "accepted"),
      entry("other", 99, "accepted"),
    ];
    const splits = splitsOf({ entries }, [
      { oldId: "o", newId: "n" },
      { oldId: "quiet", newId: "never" },
    ]);
    expect(Object.fromEntries(splits)).toEqual({
      o: { old: 3, next: 4 },
      quiet: { old: 0, next: 0 },
    });
  });
});

describe("the length of an overlap", () => {
  const own = (amount: string, unit: "minutes" | "hours" | "days") =>
    ({ length: "own", amount, unit }) as const;

  test.each([
    [{ length: "0", amount: "", unit: "hours" } as const, 0],
    [{ length: "86400", amount: "x", unit: "hours" } as const, 86_400],
    [own("90", "minutes"), 5_400],
    [own(" 36 ", "hours"), 129_600],
    [own("30", "days"), 2_592_000],
    [own("31", "days"), null],
    [own("0", "hours"), null],
    [own("-1", "hours"), null],
    [own("1.5", "hours"), null],
    [own("1e3", "minutes"), null],
    [own("", "days"), null],
    [own("9999999999999999", "minutes"), null],
  ])("of %o is %s seconds", (choice, seconds) => {
    expect(overlapSecondsOf(choice)).toBe(seconds);
    expect(overlapProblem(choice) === null).toBe(seconds !== null);
  });

  test("that a key has is what its dialog begins with", () => {
    for (const { value } of OVERLAP_PRESETS)
      expect(overlapChoiceOf(Number(value)).length).toBe(value);
    expect(overlapChoiceOf(5_400)).toEqual(own("90", "minutes"));
    expect(overlapChoiceOf(3 * 86_400)).toEqual(own("3", "days"));
    // Programs may have set seconds, which a person does not choose: never less than it was.
    expect(overlapChoiceOf(61)).toEqual(own("2", "minutes"));
  });

  test.each([
    [45, "45 seconds"],
    [60, "1 minute"],
    [5_400, "90 minutes"],
    [86_400, "24 hours"],
    [129_600, "36 hours"],
    [604_800, "7 days"],
  ])("%d seconds read %s", (seconds, words) => {
    expect(formatSpan(seconds)).toBe(words);
  });
});

describe("when a key is to expire", () => {
  const offered = (limit: ReturnType<typeof limitOf>): string[] =>
    expiriesWithin(limit, nowMs).map(({ value }) => value);
  const chosen = (expiry: string, moment = "") => ({ expiry, at: moment });
  const local = (ms: number): string => localDateTime(nowMs + ms);

  test("is free where the account has no maximum, and never unless somebody chooses", () => {
    expect(offered(null)).toEqual(["never", "7", "30", "90", "365", "own"]);
    expect(endOf(chosen(""), null, nowMs)).toBeNull();
    expect(endOf(chosen("7"), null, nowMs)).toBe(at(7 * day));
    expect(endOf(chosen("own", local(hour)), null, nowMs)).toBe(at(hour));
  });

  test("is offered up to the maximum, which a new key gets unless somebody chooses less", () => {
    const limit = limitOfNew(90, nowMs);
    expect(offered(limit)).toEqual(["longest", "30", "7", "own"]);
    expect(expiriesWithin(limit, nowMs)[0]?.label).toBe("In 90 days (the longest)");
    // By the server's clock, which decides whether it is too long.
    expect(endOf(chosen(""), limit, nowMs)).toBeUndefined();
    expect(offered(limitOfNew(45, nowMs))).toEqual(["longest", "30", "7", "own"]);
    expect(offered(limitOfNew(5, nowMs))).toEqual(["longest", "own"]);
  });

  test("falls back to what is offered when the maximum becomes known late", () => {
    expect(expiryIn(chosen("never"), limitOfNew(30, nowMs), nowMs)).toBe("longest");
    expect(expiryIn(chosen("365"), limitOfNew(30, nowMs), nowMs)).toBe("longest");
    expect(expiryIn(chosen("7"), limitOfNew(30, nowMs), nowMs)).toBe("7");
  });

  test("of a key that there is ends with the days it has left", () => {
    const key = keyOf("a"); // ten days old
    expect(offered(limitOf(key, 90, nowMs))).toEqual(["7", "30", "own"]);
    expect(offered(limitOf(key, null, nowMs))).toContain("never");
    // Older than the maximum, which was set later: what it has stands, and the server knows of more.
    const older = keyOf("a", { created_at: at(-400 * day), expires_at: at(40 * day) });
    const limit = limitOf(older, 90, nowMs);
    expect(offered(limit)).toEqual(["7", "30", "own"]);
    expect(expiryProblem(chosen("own", local(90 * day)), limit, nowMs)).toBeNull();
    expect(expiryProblem(chosen("own", local(91 * day)), limit, nowMs)).toContain(
      formatMoment(at(90 * day)),
    );
  });

  test.each([
    ["", "Choose a date and time."],
    [local(-hour), "Choose a moment in the future."],
    [local(hour), null],
  ])("a moment of one's own, %s: %s", (moment, problem) => {
    expect(expiryProblem(chosen("own", moment), null, nowMs)).toBe(problem);
  });

  test("of a successor is told: as long as the old one, within the maximum", () => {
    const ninety = keyOf("a", { created_at: at(-10 * day), expires_at: at(80 * day) });
    expect(successorEnd(keyOf("a"), null, nowMs)).toBe(
      "The new key does not expire, as this one does not.",
    );
    expect(successorEnd(ninety, null, nowMs)).toBe(
      `The new key expires on ${formatMoment(at(90 * day))}: it lives as long as this one was made for.`,
    );
    expect(successorEnd(ninety, 90, nowMs)).toContain("as long as this one");
    expect(successorEnd(ninety, 30, nowMs)).toBe(
      `The new key expires on ${formatMoment(at(30 * day))}: keys of this account live at most 30 days.`,
    );
    expect(successorEnd(keyOf("a"), 1, nowMs)).toContain("live at most 1 day.");
    expect(successorEnd(oldKey("a", "b", hour), null, nowMs)).not.toContain(formatMoment(at(hour)));
  });
});
