const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const inNumbers = new Intl.RelativeTimeFormat();
const inWords = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const dayMs = 24 * hour;

/** From when on a unit is used. Days go on for two months: a key "in 30 days" is not one "next month". */
const steps = [
  { unit: "year", ms: 365 * dayMs, from: 365 * dayMs, format: inNumbers },
  { unit: "month", ms: 30 * dayMs, from: 60 * dayMs, format: inNumbers },
  { unit: "day", ms: dayMs, from: dayMs, format: inWords },
  { unit: "hour", ms: hour, from: hour, format: inNumbers },
  { unit: "minute", ms: minute, from: minute, format: inNumbers },
] as const;

/** The whole moment in the reader's language and time zone. */
export const formatMoment = (iso: string): string => absolute.format(new Date(iso));

/** How long ago, or until: "2 minutes ago", "in 30 days"; below a minute "just now" or "in a moment". */
export function formatRelative(iso: string, nowMs: number): string {
  const ms = new Date(iso).getTime() - nowMs;
  // Half a minute short of a unit still counts as it: the clock has moved on since the choice was made.
  for (const step of steps)
    if (Math.abs(ms) >= step.from - second * 30)
      return step.format.format(Math.round(ms / step.ms), step.unit);
  return ms > 0 ? "in a moment" : "just now";
}

/** How long ago; a moment that the reader's clock has not reached yet reads "just now". */
export const formatAgo = (iso: string, nowMs: number): string =>
  formatRelative(iso, Math.max(nowMs, new Date(iso).getTime()));

/** A length of time as people say it: "14 ms", "9.8 s". */
export function formatDuration(ms: number): string {
  if (ms < second) return `${Math.round(ms)} ms`;
  // Tenths below a hundred seconds, and none that says nothing: 10.02 s reads "10 s".
  const seconds = ms / second;
  return `${seconds < 100 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
}

const spans = [
  // 24 hours are how people speak of a day that begins now.
  { unit: "day", seconds: 86_400, from: 2 * 86_400 },
  { unit: "hour", seconds: 3_600, from: 3_600 },
  { unit: "minute", seconds: 60, from: 60 },
  { unit: "second", seconds: 1, from: 0 },
] as const;

/** A length that somebody chose, exactly: "24 hours", "7 days", "90 minutes". */
export function formatSpan(seconds: number): string {
  const span = spans.find((one) => seconds >= one.from && seconds % one.seconds === 0) ?? spans[3];
  const format = { style: "unit", unit: span.unit, unitDisplay: "long" } as const;
  return new Intl.NumberFormat(undefined, format).format(seconds / span.seconds);
}

/** An ISO time `days` from now, for the ready-made expiries. */
export const daysFromNow = (days: number, nowMs: number): string =>
  new Date(nowMs + days * dayMs).toISOString();

/** A local date-time as `<input type="datetime-local">` writes it, to the minute. */
export function localDateTime(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * minute).toISOString().slice(0, 16);
}
