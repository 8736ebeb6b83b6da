import { InvalidArgumentError } from "commander";

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Ten years: what is longer is a mistake, or no duration that anybody needs. */
const LONGEST_MS = 3_660 * UNITS_MS.d;

/**
 * A duration as people write it: a whole number and one of s, m, h, d, w, such as `90d` or `30m`; `0` needs no unit.
 *
 * @returns Milliseconds.
 * @throws InvalidArgumentError
 */
export function duration(text: string): number {
  if (text === "0") return 0;
  const [, number, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const found = Object.entries(UNITS_MS).find(([name]) => name === unit);
  const ms = Number(number) * (found?.[1] ?? Number.NaN);
  if (!(ms <= LONGEST_MS))
    throw new InvalidArgumentError("Takes a duration such as 45s, 30m, 24h or 90d.");
  return ms;
}

/**
 * A time as people write it: ISO 8601, in UTC unless it says otherwise; a date alone is its first moment.
 *
 * @returns The same, as the API takes it.
 * @throws InvalidArgumentError
 */
export function moment(text: string): string {
  const whole = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
  const ms = shape.test(whole) ? Date.parse(whole) : Number.NaN;
  if (Number.isNaN(ms))
    throw new InvalidArgumentError("Takes a date, or a time such as 2026-11-01T12:00:00Z.");
  return new Date(ms).toISOString();
}

/** A span of time in its largest unit, for people: "3 minutes". */
export function spanText(ms: number): string {
  const units = [
    ["day", UNITS_MS.d],
    ["hour", UNITS_MS.h],
    ["minute", UNITS_MS.m],
    ["second", UNITS_MS.s],
  ] as const;
  const [name, unitMs] = units.find(([, each]) => ms >= each) ?? ["second", UNITS_MS.s];
  const count = Math.max(0, Math.floor(ms / unitMs));
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

/** A time of the API for people, in UTC and without its milliseconds; `null` as `none`. */
export function timeText(at: string | null, none = "never"): string {
  return at === null ? none : `${at.slice(0, 10)} ${at.slice(11, 19)}`;
}
