import type { UsageEntryJson, UsageOutcome } from "@latchkey/sdk/client";
import { describe, expect, test } from "vitest";
import { bucketsOf, RANGES, type RangeName, spanOf } from "../../../dashboard/src/usage-range.ts";
import {
  chartByKey,
  chartByOutcome,
  hoursByKey,
  keyTotals,
  totalOf,
} from "../../../dashboard/src/usage-series.ts";
import { summaryOf } from "../../../dashboard/src/usage-words.ts";

const from = "2026-05-03T10:00:00.000Z";
const at = (hour: number): string => `2026-05-03T${hour}:00:00.000Z`;
const entry = (
  hour: number,
  api_key_id: string | null,
  outcome: UsageOutcome,
  count: number,
): UsageEntryJson => ({ at: at(hour), api_key_id, outcome, count });

/** Three hours, the last one running; nothing happened in the second. */
const usageOf = (entries: UsageEntryJson[]) =>
  ({ from, to: "2026-05-03T12:34:56.789Z", granularity: "hour", entries }) as const;

const usage = usageOf([
  entry(10, "key_a", "accepted", 7),
  entry(10, "key_b", "accepted", 2),
  entry(10, "key_b", "revoked", 3),
  entry(12, null, "accepted", 30),
  entry(12, "key_b", "expired", 1),
]);

describe("the range of a chart", () => {
  test.each<[RangeName, string]>([
    ["1h", "2026-05-03T11:35:00.000Z"],
    ["24h", "2026-05-02T13:00:00.000Z"],
    ["30d", "2026-04-04T00:00:00.000Z"],
  ])("%s begins so that the running bucket is the last", (name, begins) => {
    const span = spanOf(name, Date.parse("2026-05-03T12:34:56.789Z"));
    expect(span.from).toBe(begins);
    const buckets = bucketsOf({ ...span, to: "2026-05-03T12:34:56.789Z" });
    expect(buckets.length).toBe(RANGES[name].buckets);
    expect(buckets[0]).toBe(Date.parse(begins));
  });

  test("on the stroke of a bucket there is no empty one behind it", () => {
    expect(bucketsOf({ from, to: at(12), granularity: "hour" })).toEqual(
      [at(10), at(11)].map((iso) => Date.parse(iso)),
    );
  });
});

describe("a chart", () => {
  test("by outcome has a bucket for each hour, the empty ones too, and no series without use", () => {
    const { series, points } = chartByOutcome(usage);
    expect(series.map(({ id, total }) => [id, total])).toEqual([
      ["accepted", 39],
      ["revoked", 3],
      ["expired", 1],
    ]);
    expect(points).toEqual([
      { atMs: Date.parse(at(10)), counts: { accepted: 9, revoked: 3 } },
      { atMs: Date.parse(at(11)), counts: {} },
      { atMs: Date.parse(at(12)), counts: { accepted: 30, expired: 1 } },
    ]);
  });

  test("by outcome gives each outcome its look, whichever of them happened", () => {
    const looks = (entries: UsageEntryJson[]) =>
      chartByOutcome(usageOf(entries)).series.find(({ id }) => id === "expired")?.look;
    expect(looks([entry(10, "key_a", "expired", 1)])).toBe(looks([...usage.entries]));
  });

  test("by key shows the eight used most, the most used first, and all others together", () => {
    const many = Array.from({ length: 10 }, (_, index) =>
      entry(10, `key_${index}`, "accepted", index + 1),
    );
    const { series, points } = chartByKey(usageOf([...many, entry(11, null, "revoked", 5)]), (id) =>
      id.toUpperCase(),
    );
    expect(series.length).toBe(9);
    expect(series[0]).toMatchObject({ id: "key_9", name: "KEY_9", total: 10 });
    // key_0 and key_1 are the smallest, and five came of keys that the server had put together.
    expect(series.at(-1)).toMatchObject({ name: "All others", total: 1 + 2 + 5 });
    expect(new Set(series.map(({ look }) => look)).size).toBe(9);
    const drawn = points.flatMap(({ counts }) => Object.values(counts));
    expect(drawn.reduce((all, one) => all + one, 0)).toBe(55 + 5);
  });

  test("in words names its sum, what was refused and its busiest hour", () => {
    const words = summaryOf(chartByOutcome(usage), totalOf(keyTotals(usage)), "the last 3 hours");
    expect(words).toMatch(/^43 verifications in the last 3 hours: 39 accepted, 4 refused\./);
    expect(words).toMatch(/Busiest hour: .*, with 31\.$/);
    const nothing = usageOf([]);
    expect(summaryOf(chartByOutcome(nothing), totalOf([]), "the last hour")).toBe(
      "No verifications in the last hour.",
    );
  });
});

test("the keys of a range are counted apart, most used first and the others last", () => {
  expect(keyTotals(usage)).toEqual([
    { id: "key_a", accepted: 7, refused: 0 },
    { id: "key_b", accepted: 2, refused: 4 },
    { id: null, accepted: 30, refused: 0 },
  ]);
});

test("a key's hours are all there, also of a key that nobody used", () => {
  const hoursOf = hoursByKey(usage);
  expect(hoursOf("key_b")).toEqual([
    { accepted: 2, refused: 3 },
    { accepted: 0, refused: 0 },
    { accepted: 0, refused: 1 },
  ]);
  expect(totalOf(hoursOf("key_of_nobody"))).toEqual({ accepted: 0, refused: 0 });
  expect(hoursOf("key_of_nobody").length).toBe(3);
});
