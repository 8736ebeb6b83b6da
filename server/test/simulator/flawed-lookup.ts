import type { Change, HeldKey, Lookup } from "@latchkey/sdk/core";

/** Wraps a lookup so that its live properties stay live. */
export function wrapLookup(lookup: Lookup, changed: Partial<Lookup>): Lookup {
  return {
    clock: lookup.clock,
    find: lookup.find,
    byId: lookup.byId,
    load: lookup.load,
    grant: lookup.grant,
    drop: lookup.drop,
    forget: lookup.forget,
    apply: lookup.apply,
    get leaseRemainingMs() {
      return lookup.leaseRemainingMs;
    },
    get size() {
      return lookup.size;
    },
    get unknownSize() {
      return lookup.unknownSize;
    },
    counts: lookup.counts,
    ...changed,
  };
}

/**
 * A lookup that keeps every answer of a load under a lease, but for loads tainted by the kinds of change named. Its
 * keys are dropped when they change and its loads tainted when a lease lapses, as they should be.
 */
export function leakyLookup(lookup: Lookup, tainting: readonly Change["kind"][]): Lookup {
  const kept = new Map<string, HeldKey | null>();
  const inFlight = new Set<{ readonly digest: string; tainted: boolean }>();
  const taint = (digest: string | null): void => {
    for (const load of inFlight) if (digest === null || load.digest === digest) load.tainted = true;
  };
  const leased = (): boolean => {
    if (lookup.leaseRemainingMs > 0) return true;
    taint(null);
    return false;
  };
  return wrapLookup(lookup, {
    find(digest) {
      const found = lookup.find(digest);
      return found === undefined && leased() ? kept.get(digest) : found;
    },
    async load(digest) {
      if (!leased()) return lookup.load(digest);
      const load = { digest, tainted: false };
      inFlight.add(load);
      try {
        const held = await lookup.load(digest);
        if (leased() && !load.tainted) kept.set(digest, held);
        return held;
      } finally {
        inFlight.delete(load);
      }
    },
    grant(fromMs, lengthMs) {
      leased();
      lookup.grant(fromMs, lengthMs);
    },
    forget() {
      kept.clear();
      taint(null);
      lookup.forget();
    },
    apply(change) {
      lookup.apply(change);
      const { kind, subject } = change;
      if (kind === "key") kept.delete(subject);
      else
        for (const [digest, held] of kept)
          if (held === null || held.key[kind].id === subject) kept.delete(digest);
      if (tainting.includes(kind)) taint(kind === "key" ? subject : null);
    },
  });
}

/** A lookup whose requests join a load in flight that they must not join. */
export function joiningLookup(lookup: Lookup, joins: "tainted" | "across lapses"): Lookup {
  const loads = new Map<string, Promise<HeldKey | null>>();
  const leased = (): boolean => lookup.leaseRemainingMs > 0;
  return wrapLookup(lookup, {
    load(digest) {
      if (joins === "tainted" && !leased()) loads.clear();
      const flying = loads.get(digest);
      if (flying !== undefined) return flying;
      const load = lookup.load(digest);
      if (!leased()) return load;
      loads.set(digest, load);
      const landed = (): void => {
        if (loads.get(digest) === load) loads.delete(digest);
      };
      load.then(landed, landed);
      return load;
    },
    apply(change) {
      if (joins === "across lapses") {
        if (change.kind === "key") loads.delete(change.subject);
        else loads.clear();
      }
      lookup.apply(change);
    },
    forget() {
      loads.clear();
      lookup.forget();
    },
  });
}
