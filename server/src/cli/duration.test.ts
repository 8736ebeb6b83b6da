import { expect, test } from "vitest";
import { duration, moment, spanText } from "./duration.ts";

test.each([
  ["0", 0],
  ["45s", 45_000],
  ["30m", 1_800_000],
  ["24h", 86_400_000],
  ["90d", 7_776_000_000],
  ["2w", 1_209_600_000],
  ["0d", 0],
  ["3660d", 316_224_000_000],
])("%s is %i ms", (text, ms) => {
  expect(duration(text)).toBe(ms);
});

test.each([
  "",
  "90",
  "d",
  "-1d",
  "1.5h",
  "1e3s",
  "0x10s",
  " 1d",
  "1d ",
  "1 d",
  "1D",
  "1y",
  "1h30m",
  "1ms",
  "٣d",
  "3661d",
  "999999999w",
  "9999999999s",
  "NaNs",
  "1d\n",
])("%j is no duration", (text) => {
  expect(() => duration(text)).toThrow("Takes a duration such as");
});

test.each([
  ["2026-11-01", "2026-11-01T00:00:00.000Z"],
  ["2026-11-01T12:00Z", "2026-11-01T12:00:00.000Z"],
  ["2026-11-01T12:00:01.5+02:00", "2026-11-01T10:00:01.500Z"],
])("%s is %s", (text, at) => {
  expect(moment(text)).toBe(at);
});

// Without an offset a time would mean another one on each machine.
test.each([
  "",
  "now",
  "2026-11-01T12:00:00",
  "2026-13-01",
  "2026-02-30T25:00:00Z",
  "01.11.2026",
  "1767225600",
])("%j is no time", (text) => {
  expect(() => moment(text)).toThrow("Takes a date, or a time");
});

test.each([
  [0, "0 seconds"],
  [-5, "0 seconds"],
  [1_000, "1 second"],
  [119_000, "1 minute"],
  [7_200_000, "2 hours"],
  [86_400_000 * 400, "400 days"],
])("%i ms are %s", (ms, text) => {
  expect(spanText(ms)).toBe(text);
});
