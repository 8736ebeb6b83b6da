import { Failure } from "@latchkey/sdk/core";
import { expect, test } from "vitest";
import { bucketsOf, type RangeAsk, spanOf } from "./span.ts";

const NOW = "2026-01-31T09:30:12.345Z";

/** A span as text, or the field that is wrong with it. */
function span(granularity: RangeAsk["granularity"], from?: string, to?: string): string {
  const ms = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  try {
    const found = spanOf({ fromMs: ms(from), toMs: ms(to), granularity }, Date.parse(NOW));
    return [found.fromMs, found.toMs].map((at) => new Date(at).toISOString()).join(" ");
  } catch (error) {
    if (error instanceof Failure) return error.errors.map(({ field }) => field).join();
    throw error;
  }
}

test("what nobody asked for is an hour of minutes, a day of hours, thirty days, up to now", () => {
  expect(span("minute")).toBe(`2026-01-31T08:30:00.000Z ${NOW}`);
  expect(span("hour")).toBe(`2026-01-30T09:00:00.000Z ${NOW}`);
  expect(span("day")).toBe(`2026-01-01T00:00:00.000Z ${NOW}`);
});

test("the beginning is rounded down to its bucket, the end is left as it is", () => {
  const [from, to] = ["2026-01-02T03:04:05.678Z", "2026-01-02T06:07:08.999Z"];
  expect(span("minute", from, to)).toBe(`2026-01-02T03:04:00.000Z ${to}`);
  expect(span("hour", from, to)).toBe(`2026-01-02T03:00:00.000Z ${to}`);
  expect(span("day", from, to)).toBe(`2026-01-02T00:00:00.000Z ${to}`);
});

test("an end without a beginning is counted back from", () => {
  const to = "2020-05-05T00:00:00.000Z";
  expect(span("hour", undefined, to)).toBe(`2020-05-04T00:00:00.000Z ${to}`);
});

test("nothing lies before 1970", () => {
  expect(span("day", undefined, "1970-01-02T00:00:00Z")).toBe(
    "1970-01-01T00:00:00.000Z 1970-01-02T00:00:00.000Z",
  );
});

test("a span without time is none, even where rounding would make one", () => {
  expect(span("hour", NOW, NOW)).toBe("from");
  expect(span("hour", "2026-01-31T09:30:12.346Z", NOW)).toBe("from");
  expect(span("hour", "2026-01-31T09:30:12.344Z", NOW)).toBe(`2026-01-31T09:00:00.000Z ${NOW}`);
  expect(span("hour", "2027-01-01T00:00:00Z")).toBe("from");
  expect(span("hour", undefined, "1970-01-01T00:00:00Z")).toBe("from");
});

test("fifteen hundred buckets are the most, of whatever length", () => {
  expect(span("minute", "2026-01-01T00:00:00Z", "2026-01-02T01:00:00Z")).toMatch(/ /);
  expect(span("minute", "2026-01-01T00:00:00Z", "2026-01-02T01:00:00.001Z")).toBe("from");
  expect(span("hour", "2026-01-01T00:00:59Z", "2026-03-04T12:00:00Z")).toMatch(/ /);
  expect(span("hour", "2026-01-01T00:00:59Z", "2026-03-04T12:00:00.001Z")).toBe("from");
  expect(span("day", "2022-01-01T00:00:00Z", "2026-02-09T00:00:00Z")).toMatch(/ /);
  expect(span("day", "2022-01-01T00:00:00Z", "2026-02-10T00:00:00Z")).toBe("from");
});

test("a bucket that is only begun counts as one", () => {
  expect(bucketsOf({ fromMs: 0, toMs: 60_000 }, "minute")).toBe(1);
  expect(bucketsOf({ fromMs: 0, toMs: 60_001 }, "minute")).toBe(2);
});
