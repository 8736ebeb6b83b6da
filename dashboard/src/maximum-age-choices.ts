import { counted } from "./counts.ts";

/** The server's bounds, in days. */
const daysMax = 3_650;

/** Maximum ages of keys that need no typing; the value is in days. */
export const MAXIMUM_AGES = [
  { value: "none", label: "No maximum" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "180", label: "180 days" },
  { value: "365", label: "365 days" },
  { value: "own", label: "Another number of days…" },
] as const;

/** The longest that a key may live, as a form holds it. */
export interface MaximumAgeChoice {
  /** Days, `none`, or `own`: then `days` tells. */
  age: string;
  days: string;
}

/** The choice that stands for a maximum, to change it. */
export function maximumAgeChoiceOf(days: number | null): MaximumAgeChoice {
  const value = days === null ? "none" : String(days);
  const preset = MAXIMUM_AGES.some((one) => one.value === value);
  return { age: preset ? value : "own", days: days === null ? "" : value };
}

/** The days that were chosen; `null`: no maximum; `undefined` while what was typed is none. */
export function maximumDaysOf({ age, days }: MaximumAgeChoice): number | null | undefined {
  if (age === "none") return null;
  const text = (age === "own" ? days : age).trim();
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= daysMax ? number : undefined;
}

/** What is wrong with a choice, or `null`. */
export const maximumAgeProblem = (choice: MaximumAgeChoice): string | null =>
  maximumDaysOf(choice) === undefined ? "Enter a whole number of days, 1 to 3,650." : null;

/**
 * What another maximum does to the keys that there are, and to new ones.
 *
 * @param before What it is now; `null`: none.
 */
export function maximumAgePreview(before: number | null, after: number | null): string {
  if (after === before) return "That is what it is now.";
  const keep = "Keys that end keep the end they have.";
  if (after === null) return `New keys live as long as they are wanted. ${keep}`;
  const days = counted(after, "day");
  const fresh = `New keys live at most ${days}.`;
  if (before !== null && after > before) return `${fresh} ${keep}`;
  return `Keys that would live longer end at most ${days} from now. ${fresh}`;
}

/** Whether another maximum brings ends forward. */
export const isShorter = (before: number | null, after: number | null): boolean =>
  after !== null && (before === null || after < before);
