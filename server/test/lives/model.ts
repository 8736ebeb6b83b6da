/** One thing that happens; `key` picks one of those that there are. Times are lengths in ms, `null` is never. */
export type Deed =
  | { readonly do: "issue"; readonly livesMs: number | null }
  | {
      readonly do: "rotate";
      readonly key: number;
      readonly overlapMs: number;
      readonly starts: "now" | "first_use";
      /** `undefined`: none is named. */
      readonly livesMs: number | null | undefined;
    }
  | { readonly do: "end"; readonly key: number; readonly livesMs: number | null }
  | { readonly do: "overlap"; readonly key: number; readonly overlapMs: number }
  | { readonly do: "revoke"; readonly key: number }
  | { readonly do: "use"; readonly key: number }
  | { readonly do: "start overlaps" }
  | { readonly do: "suspend"; readonly suspended: boolean }
  | { readonly do: "maximum age"; readonly maxAgeMs: number | null }
  | { readonly do: "wait"; readonly ms: number };

/** What a deed comes to: so many audit events, or a failure that leaves nothing behind. */
export type Expected = number | "conflict" | "invalid_params";

interface Key {
  readonly createdMs: number;
  /** `Infinity`: never. */
  ownEndMs: number;
  overlap: { lengthMs: number; fromMs: number | null } | null;
  isRevoked: boolean;
  isUsed: boolean;
  successor: Key | null;
}

/**
 * The lives of keys as the documentation tells them, in as few words as they take: what the store is held to. It shares no
 * line with it. Keys stand in the order in which they were made.
 */
export function createModel(startMs: number) {
  const keys: Key[] = [];
  let nowMs = startMs;
  let isSuspended = false;
  let maxAge: { lengthMs: number; sinceMs: number } | null = null;

  const endOf = ({ ownEndMs, overlap }: Key): number =>
    overlap === null || overlap.fromMs === null
      ? ownEndMs
      : Math.min(ownEndMs, overlap.fromMs + overlap.lengthMs);
  const hasEnded = (key: Key): boolean => key.isRevoked || endOf(key) <= nowMs;
  const latestFor = (createdMs: number): number =>
    maxAge === null
      ? Number.POSITIVE_INFINITY
      : Math.max(createdMs, maxAge.sinceMs) + maxAge.lengthMs;
  const timeOf = (livesMs: number | null): number =>
    livesMs === null ? Number.POSITIVE_INFINITY : nowMs + livesMs;

  function make(ownEndMs: number): Key {
    const fresh = { createdMs: nowMs, overlap: null, isRevoked: false, isUsed: false };
    const key: Key = { ...fresh, ownEndMs, successor: null };
    keys.push(key);
    return key;
  }

  function issue({ livesMs }: Deed & { do: "issue" }): Expected {
    const named = timeOf(livesMs);
    if (named <= nowMs || (livesMs !== null && named > latestFor(nowMs))) return "invalid_params";
    make(Math.min(named, latestFor(nowMs)));
    return 1;
  }

  function rotate(old: Key, { overlapMs, starts, livesMs }: Deed & { do: "rotate" }): Expected {
    if (livesMs !== undefined && timeOf(livesMs) <= nowMs) return "invalid_params";
    if (hasEnded(old)) return "conflict";
    if (old.successor !== null && !hasEnded(old.successor)) return "conflict";
    const latestMs = latestFor(nowMs);
    if (livesMs !== undefined && timeOf(livesMs) > latestMs) return "invalid_params";
    const usualMs = nowMs + (old.ownEndMs - old.createdMs);
    old.successor = make(livesMs === undefined ? Math.min(usualMs, latestMs) : timeOf(livesMs));
    if (overlapMs === 0) {
      old.isRevoked = true;
      return 3;
    }
    old.overlap = { lengthMs: overlapMs, fromMs: starts === "now" ? nowMs : null };
    return 2;
  }

  function setEnd(key: Key, { livesMs }: Deed & { do: "end" }): Expected {
    const endMs = timeOf(livesMs);
    if (endMs <= nowMs) return "invalid_params";
    if (hasEnded(key) || key.overlap !== null) return "conflict";
    if (endMs > latestFor(key.createdMs)) return "invalid_params";
    const differs = endMs !== key.ownEndMs;
    key.ownEndMs = endMs;
    return differs ? 1 : 0;
  }

  function setOverlap(key: Key, lengthMs: number): Expected {
    if (hasEnded(key) || key.overlap === null) return "conflict";
    const after = { ...key, overlap: { ...key.overlap, lengthMs } };
    if (endOf(after) <= nowMs) return "invalid_params";
    const differs = lengthMs !== key.overlap.lengthMs;
    key.overlap = after.overlap;
    return differs ? 1 : 0;
  }

  function revoke(key: Key): Expected {
    const isFirst = !key.isRevoked;
    key.isRevoked = true;
    return isFirst ? 1 : 0;
  }

  function startOverlaps(): Expected {
    let started = 0;
    for (const key of keys) {
      if (hasEnded(key) || key.overlap === null || key.overlap.fromMs !== null) continue;
      if (key.successor === null || key.successor.isRevoked || !key.successor.isUsed) continue;
      key.overlap.fromMs = nowMs;
      started += 1;
    }
    return started;
  }

  function suspend(suspended: boolean): Expected {
    const differs = suspended !== isSuspended;
    isSuspended = suspended;
    return differs ? 1 : 0;
  }

  function setMaxAge(lengthMs: number | null): Expected {
    if (lengthMs === (maxAge?.lengthMs ?? null)) return 0;
    const isRaised = maxAge !== null && lengthMs !== null && lengthMs > maxAge.lengthMs;
    const sinceMs = isRaised ? (maxAge?.sinceMs ?? nowMs) : nowMs;
    maxAge = lengthMs === null ? null : { lengthMs, sinceMs };
    if (!isRaised)
      for (const key of keys)
        if (!hasEnded(key)) key.ownEndMs = Math.min(key.ownEndMs, latestFor(key.createdMs));
    return 1;
  }

  return {
    get nowMs() {
      return nowMs;
    },
    /** Which of the keys a number picks. */
    pick: (number: number): number => number % keys.length,
    /** Whether a verifier whose clock shows `atMs` accepts each key. */
    accepted: (atMs: number): readonly boolean[] =>
      keys.map((key) => !isSuspended && !key.isRevoked && endOf(key) > atMs),
    /** When something is to end by itself. */
    ends: (): readonly number[] => keys.map(endOf).filter(Number.isFinite),
    /** The latest end of each key that lives. */
    latest: (): readonly number[] =>
      keys.map((key) => (hasEnded(key) ? Number.POSITIVE_INFINITY : latestFor(key.createdMs))),
    /** Whether each key has ended for good. */
    ended: (): readonly boolean[] => keys.map(hasEnded),

    /** Does it, and tells what that comes to. */
    do(deed: Deed): Expected {
      const key = "key" in deed ? keys[deed.key % keys.length] : undefined;
      switch (deed.do) {
        case "issue":
          return issue(deed);
        case "start overlaps":
          return startOverlaps();
        case "suspend":
          return suspend(deed.suspended);
        case "maximum age":
          return setMaxAge(deed.maxAgeMs);
        case "wait":
          nowMs += deed.ms;
          return 0;
      }
      if (key === undefined) throw new Error("there is no key yet");
      switch (deed.do) {
        case "rotate":
          return rotate(key, deed);
        case "end":
          return setEnd(key, deed);
        case "overlap":
          return setOverlap(key, deed.overlapMs);
        case "revoke":
          return revoke(key);
        case "use":
          key.isUsed = true;
          return 0;
      }
    },
  };
}
