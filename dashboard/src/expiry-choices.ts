import { daysFromNow, formatMoment } from "./times.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Days from now that need no typing. */
const presets = [
  { days: 7, label: "In 7 days" },
  { days: 30, label: "In 30 days" },
  { days: 90, label: "In 90 days" },
  { days: 365, label: "In 1 year" },
] as const;

/** When a key is to end, as a form holds it. */
export interface ExpiryChoice {
  /** Days, `never`, or `own`: then `at` tells. Empty: whatever is offered first. */
  expiry: string;
  /** Local date-time of the native input. */
  at: string;
}

export const NO_EXPIRY_CHOICE: ExpiryChoice = { expiry: "", at: "" };

/** Until when a key can live by the account's maximum age. */
export interface AgeLimit {
  days: number;
  /** Of a key that is yet to be made: it gets the longest life unless it is given another. */
  ofNew: boolean;
  /** Every end up to this one is allowed. Unix ms. */
  certainMs: number;
  /** No end after this one is; in between the server knows, for it knows since when there is a maximum. Unix ms. */
  latestMs: number;
}

/** The limit of a key that is made now. */
export function limitOfNew(days: number | null, nowMs: number): AgeLimit | null {
  if (days === null) return null;
  const endMs = nowMs + days * dayMs;
  return { days, ofNew: true, certainMs: endMs, latestMs: endMs };
}

/** The limit of a key that there is; what it has already is allowed. */
export function limitOf(
  key: { created_at: string; expires_at: string | null },
  days: number | null,
  nowMs: number,
): AgeLimit | null {
  if (days === null) return null;
  const sinceCreationMs = Date.parse(key.created_at) + days * dayMs;
  const presentMs = key.expires_at === null ? 0 : Date.parse(key.expires_at);
  return {
    days,
    ofNew: false,
    certainMs: Math.max(sinceCreationMs, presentMs),
    latestMs: Math.max(nowMs + days * dayMs, presentMs),
  };
}

/** What can be chosen; the first is what a new key gets unless somebody chooses. */
export function expiriesWithin(
  limit: AgeLimit | null,
  nowMs: number,
): { value: string; label: string }[] {
  const all = presets.map(({ days, label }) => ({ value: String(days), label }));
  const own = { value: "own", label: "At a date and time…" };
  if (limit === null) return [{ value: "never", label: "Never" }, ...all, own];
  const within = all.filter(({ value }) => nowMs + Number(value) * dayMs <= limit.certainMs);
  if (!limit.ofNew) return [...within, own];
  const days = String(limit.days);
  const label = all.find(({ value }) => value === days)?.label ?? `In ${days} days`;
  const shorter = within.filter(({ value }) => value !== days).toReversed();
  return [{ value: "longest", label: `${label} (the longest)` }, ...shorter, own];
}

/** The expiry that counts: the chosen one if it is offered (the maximum may be known only now), else the first one. */
export function expiryIn(choice: ExpiryChoice, limit: AgeLimit | null, nowMs: number): string {
  const offered = expiriesWithin(limit, nowMs);
  const chosen = offered.find(({ value }) => value === choice.expiry);
  return (chosen ?? offered[0])?.value ?? "own";
}

/**
 * The end that was chosen, ISO 8601. `expiryProblem` of the choice must be `null`.
 *
 * @returns `null` for none, and `undefined` for the longest life: the server reckons it by its own clock.
 */
export function endOf(
  choice: ExpiryChoice,
  limit: AgeLimit | null,
  nowMs: number,
): string | null | undefined {
  const expiry = expiryIn(choice, limit, nowMs);
  if (expiry === "longest") return undefined;
  if (expiry === "never") return null;
  return expiry === "own" ? new Date(choice.at).toISOString() : daysFromNow(Number(expiry), nowMs);
}

/** What is wrong with a moment of one's own, or `null`. */
export function expiryProblem(
  choice: ExpiryChoice,
  limit: AgeLimit | null,
  nowMs: number,
): string | null {
  if (expiryIn(choice, limit, nowMs) !== "own") return null;
  const ms = new Date(choice.at).getTime();
  if (Number.isNaN(ms)) return "Choose a date and time.";
  if (ms <= nowMs) return "Choose a moment in the future.";
  if (limit !== null && ms > limit.latestMs)
    return `Choose a moment up to ${formatMoment(new Date(limit.latestMs).toISOString())}.`;
  return null;
}
