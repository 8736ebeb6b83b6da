import fc from "fast-check";
import { expect, test } from "vitest";
import { formatRecord, parseRecord, type RestoreRecord } from "../../src/store/restore-record.ts";

/** The times that a Date can tell (ECMA-262, section 21.4.1.1). */
const TIME_MAX_MS = 8.64e15;

const time = fc.integer({ min: -TIME_MAX_MS, max: TIME_MAX_MS });

const endAt = (atMs: number, expiresAtMs: number, effectiveAtMs: number): RestoreRecord => ({
  seq: 7,
  atMs,
  deed: "api_key.expires",
  id: "key_1",
  actor: null,
  reason: null,
  expiresAtMs,
  maxAgeDays: null,
  effective: { atMs: effectiveAtMs, tookMs: 1, acknowledged: 1, lapsed: 0 },
});

test("whatever time a line tells, it is read as it was written", () => {
  fc.assert(
    fc.property(time, time, time, (first, second, expiresAtMs) => {
      const record = endAt(Math.min(first, second), expiresAtMs, Math.max(first, second));
      expect(parseRecord(formatRecord(record))).toEqual(record);
    }),
    {
      examples: [
        [-TIME_MAX_MS, TIME_MAX_MS, 0],
        [253_402_300_799_999, 253_402_300_800_000, 253_402_300_800_000], // the end of 9999
        [-62_167_219_200_001, -62_167_219_200_000, -1], // the beginning of 0000
      ],
    },
  );
});

test("other spellings of a moment are the same moment; what has no zone or is none is no time", () => {
  const line = formatRecord(endAt(0, 1_000, 2_000));
  const written = '"1970-01-01T00:00:01.000Z"';
  expect(line).toContain(written);
  const read = (text: string) =>
    parseRecord(line.replace(written, JSON.stringify(text)))?.expiresAtMs;
  for (const same of [
    "1970-01-01T00:00:01Z",
    "1970-01-01T00:00:01.000000Z",
    "1970-01-01T02:00:01+02:00",
    "+001970-01-01T00:00:01.000Z",
  ])
    expect([same, read(same)]).toEqual([same, 1_000]);
  for (const none of [
    "1970-01-01T00:00:01",
    "1970-01-01",
    "1970-13-01T00:00:01Z",
    "+275760-09-13T00:00:00.001Z",
    "-000000-01-01T00:00:00Z",
    "today",
    "1000",
    "",
  ])
    expect([none, read(none)]).toEqual([none, undefined]);
});

test("nothing takes effect before it is done, in whatever years", () => {
  const line = formatRecord(endAt(253_402_300_800_000, 0, 253_402_300_800_000));
  expect(parseRecord(line)).toBeDefined();
  expect(parseRecord(line.replace(/("effective":\{"at":")[^"]*/, "$19999-01-01T00:00:00Z"))).toBe(
    undefined,
  );
});
