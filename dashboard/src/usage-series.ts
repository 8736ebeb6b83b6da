import type { UsageEntryJson, UsageJson, UsageOutcome } from "@latchkey/sdk/client";
import { OUTCOMES, outcomeWords } from "./outcomes.ts";
import { bucketsOf } from "./usage-range.ts";

/** How many keys have a colour of their own in a chart; the rest share one. */
const KEYS_SHOWN = 8;

/** The look of what is left over: the last one of the palette. */
export const OTHERS_LOOK = 9;

/** One colour of a stacked chart. */
export interface Series {
  id: string;
  name: string;
  /** Number of its colour and pattern, from 1. */
  look: number;
  total: number;
}

/** Counts of one bucket by the id of their series; what is not named is 0. */
export interface Point {
  atMs: number;
  counts: Readonly<Record<string, number>>;
}

export interface Chart {
  granularity: UsageJson["granularity"];
  series: Series[];
  points: Point[];
}

/** What the verifications of a range sum up to. */
export interface Total {
  accepted: number;
  refused: number;
}

/** The verifications of one key, or of all the others together (`id: null`). */
export interface KeyTotal extends Total {
  id: string | null;
}

interface Counted extends Pick<UsageJson, "from" | "to" | "granularity"> {
  entries: readonly UsageEntryJson[];
}

/** Stacks an answer by how verifications ended; only what happened has a series, and `accepted` always. */
export function chartByOutcome(usage: Counted): Chart {
  const totals = sums(usage.entries, outcomeOf);
  const series = OUTCOMES.map((id, index) => ({
    id,
    name: outcomeWords[id],
    look: index + 1,
    total: totals.get(id) ?? 0,
  })).filter(({ id, total }) => id === "accepted" || total > 0);
  return { granularity: usage.granularity, series, points: pointsOf(usage, outcomeOf) };
}

/** Stacks an answer by key: those with the most verifications, and all others together. */
export function chartByKey(usage: Counted, nameOf: (id: string) => string): Chart {
  const totals = sums(usage.entries, keyOf);
  const ids = [...totals.keys()]
    .filter((id) => id !== OTHERS)
    .toSorted((a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0));
  const shown = new Set(ids.slice(0, KEYS_SHOWN));
  const seriesOf = (entry: UsageEntryJson): string => {
    const id = keyOf(entry);
    return shown.has(id) ? id : OTHERS;
  };
  const others = sums(usage.entries, seriesOf).get(OTHERS) ?? 0;
  const series: Series[] = [...shown].map((id, index) => ({
    id,
    name: nameOf(id),
    look: index + 1,
    total: totals.get(id) ?? 0,
  }));
  if (others > 0) series.push({ id: OTHERS, name: "All others", look: OTHERS_LOOK, total: others });
  return { granularity: usage.granularity, series, points: pointsOf(usage, seriesOf) };
}

/** Accepted and refused verifications of a range, for each key of the answer; most first, the others last. */
export function keyTotals({ entries }: Pick<Counted, "entries">): KeyTotal[] {
  const found = new Map<string, KeyTotal>();
  for (const entry of entries) {
    const id = keyOf(entry);
    const total = found.get(id) ?? { id: id === OTHERS ? null : id, accepted: 0, refused: 0 };
    total[entry.outcome === "accepted" ? "accepted" : "refused"] += entry.count;
    found.set(id, total);
  }
  const size = ({ id, accepted, refused }: KeyTotal): number =>
    id === null ? -1 : accepted + refused;
  return [...found.values()].toSorted((a, b) => size(b) - size(a));
}

/** The buckets of an answer for each key, oldest first; a key without an entry has none but empty ones. */
export function hoursByKey(usage: Counted): (id: string) => readonly Total[] {
  const places = new Map(bucketsOf(usage).map((atMs, index) => [atMs, index]));
  const found = new Map<string, Total[]>();
  const empty = (): Total[] => Array.from(places, () => ({ accepted: 0, refused: 0 }));
  for (const entry of usage.entries) {
    const id = keyOf(entry);
    const hours = found.get(id) ?? empty();
    const hour = hours[places.get(Date.parse(entry.at)) ?? -1];
    if (hour !== undefined)
      hour[entry.outcome === "accepted" ? "accepted" : "refused"] += entry.count;
    found.set(id, hours);
  }
  const none = empty();
  return (id) => found.get(id) ?? none;
}

/** Accepted and refused verifications together. */
export function totalOf(totals: readonly Total[]): Total {
  const sum = (of: keyof Total): number => totals.reduce((all, one) => all + one[of], 0);
  return { accepted: sum("accepted"), refused: sum("refused") };
}

const OTHERS = "others";
const outcomeOf = ({ outcome = "accepted" }: UsageEntryJson): UsageOutcome => outcome;
const keyOf = ({ api_key_id }: UsageEntryJson): string => api_key_id ?? OTHERS;

function sums(
  entries: readonly UsageEntryJson[],
  seriesOf: (entry: UsageEntryJson) => string,
): Map<string, number> {
  const found = new Map<string, number>();
  for (const entry of entries)
    found.set(seriesOf(entry), (found.get(seriesOf(entry)) ?? 0) + entry.count);
  return found;
}

function pointsOf(usage: Counted, seriesOf: (entry: UsageEntryJson) => string): Point[] {
  const points = new Map<number, { atMs: number; counts: Record<string, number> }>(
    bucketsOf(usage).map((atMs) => [atMs, { atMs, counts: {} }]),
  );
  for (const entry of usage.entries) {
    const counts = points.get(Date.parse(entry.at))?.counts;
    if (counts !== undefined)
      counts[seriesOf(entry)] = (counts[seriesOf(entry)] ?? 0) + entry.count;
  }
  return [...points.values()];
}
