const minuteSeconds = 60;
const hourSeconds = 60 * minuteSeconds;
const daySeconds = 24 * hourSeconds;

/** The server's bound: 30 days. */
const overlapSecondsMax = 30 * daySeconds;

/** What a length of one's own can be counted in. */
export const OVERLAP_UNITS = [
  { value: "minutes", label: "minutes", seconds: minuteSeconds },
  { value: "hours", label: "hours", seconds: hourSeconds },
  { value: "days", label: "days", seconds: daySeconds },
] as const;

export type OverlapUnit = (typeof OVERLAP_UNITS)[number]["value"];

/** Lengths of an overlap that need no typing; the value is in seconds. */
export const OVERLAP_PRESETS = [
  { value: "3600", label: "1 hour" },
  { value: "86400", label: "24 hours" },
  { value: "604800", label: "7 days" },
] as const;

/** How long an overlap is to be, as a form holds it. */
export interface OverlapChoice {
  /** Seconds, or `own`: then amount and unit tell. "0" is no overlap at all. */
  length: string;
  amount: string;
  unit: OverlapUnit;
}

/** The seconds that were chosen; `null` while what was typed is no length. */
export function overlapSecondsOf({ length, amount, unit }: OverlapChoice): number | null {
  if (length !== "own") return Number(length);
  const each = OVERLAP_UNITS.find(({ value }) => value === unit)?.seconds ?? daySeconds;
  const seconds = /^\d{1,6}$/.test(amount.trim()) ? Number(amount) * each : 0;
  return seconds >= 1 && seconds <= overlapSecondsMax ? seconds : null;
}

/** The choice that stands for a length, to change it. */
export function overlapChoiceOf(seconds: number): OverlapChoice {
  const preset = OVERLAP_PRESETS.find(({ value }) => value === String(seconds));
  const unit = OVERLAP_UNITS.findLast((one) => seconds % one.seconds === 0) ?? OVERLAP_UNITS[0];
  return {
    length: preset?.value ?? "own",
    amount: String(Math.max(1, Math.ceil(seconds / unit.seconds))),
    unit: unit.value,
  };
}

/** What is wrong with a choice, or `null`. */
export const overlapProblem = (choice: OverlapChoice): string | null =>
  overlapSecondsOf(choice) === null ? "Enter a whole number; at most 30 days." : null;
