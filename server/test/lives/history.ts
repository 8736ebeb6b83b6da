/** One request with a key, or one verification in a process; times are Unix ms by the clock of this machine. */
export interface Asked {
  /** Who was asked, e.g. "node-1". */
  readonly place: string;
  readonly key: string;
  readonly invokedMs: number;
  readonly returnedMs: number;
  readonly outcome: "accepted" | "expired" | "unavailable";
}

/**
 * Finds every verdict that no end of its key explains. Each place judges by its own clock, and by nothing else: whoever was
 * asked when that had passed the end must refuse, and whoever answered before it had must accept.
 *
 * @param ends When keys end; one that is missing does not.
 * @param shiftsMs How far the clocks of places are ahead of this machine's; 0 where it is missing.
 */
export function violations(
  history: readonly Asked[],
  ends: ReadonlyMap<string, number>,
  shiftsMs: Readonly<Record<string, number>>,
): readonly string[] {
  const wrong: string[] = [];
  for (const { place, key, invokedMs, returnedMs, outcome } of history) {
    const endMs = ends.get(key) ?? Number.POSITIVE_INFINITY;
    const endsThereMs = endMs - (shiftsMs[place] ?? 0); // by this machine's clock
    if (outcome === "accepted" && invokedMs >= endsThereMs)
      wrong.push(`${place} accepted ${key} ${invokedMs - endsThereMs} ms after its end`);
    if (outcome === "expired" && returnedMs < endsThereMs)
      wrong.push(`${place} refused ${key} ${endsThereMs - returnedMs} ms before its end`);
  }
  return wrong;
}
