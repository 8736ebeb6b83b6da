import { Failure } from "../failure.ts";
import type { HeldKey } from "../held-key.ts";
import type { KeyRecord } from "../judge.ts";
import { createCache } from "./cache.ts";
import { type Clocks, type HolderClock, holderClock } from "./clock.ts";

/** An entry of the change log: what it is about may be judged differently from now on. */
export interface Change {
  readonly seq: number;
  /** Random: tells a restored database's entry from the one that was applied. */
  readonly id: string;
  readonly kind: "key" | "environment" | "account";
  /** The digest of a key (base64url), or the id of an environment or account. */
  readonly subject: string;
}

/** What upstream says of one digest. Not `cacheable`: good for those who wait for it, and for nobody after them. */
export interface Loaded {
  readonly key: KeyRecord | null;
  readonly cacheable: boolean;
}

/** The bounds of a verifier's memory and patience; see docs/architecture.md for the table of all bounds. */
export const LOOKUP_BOUNDS = {
  /** Keys held: at up to 400 bytes each, 40 MB. */
  keysMax: 100_000,
  /** Unknown digests held, apart from keys, so that made-up tokens push out only one another. */
  unknownMax: 10_000,
  /** Digests awaited from upstream at one time; past it a miss fails at once rather than queue without end. */
  loadsMax: 10_000,
  /** Digests in one query. */
  batchMax: 500,
  /** Queries under way at one time; further misses share the next ones, so that a slow upstream is asked in larger batches. */
  queriesMax: 8,
  /** How long a miss may wait for its answer. */
  loadTimeoutMs: 2_000,
} as const;

export type LookupBounds = { readonly [Bound in keyof typeof LOOKUP_BOUNDS]: number };

export interface LookupOptions {
  readonly clocks: Clocks;
  /** Asks upstream for digests; answers in the order asked. Rejects when upstream cannot tell. */
  load(digests: readonly string[]): Promise<readonly Loaded[]>;
  /** Runs `task` when the work at hand is done, so that misses of one tick share one query. */
  soon(task: () => void): void;
  /** Runs `task` in `ms`; returns its cancellation. */
  after(ms: number, task: () => void): () => void;
  readonly bounds?: Partial<LookupBounds>;
}

/** What a {@link Lookup} did since it was made. */
export interface LookupCounts {
  /** Answers out of what is held. */
  hits: number;
  /** Questions that had to be asked upstream, or joined to one on its way. */
  misses: number;
  /** Queries, each for up to a batch of digests, that upstream answered, and those that it did not. */
  queriesAnswered: number;
  queriesFailed: number;
}

/** Keys by digest, believed only under a lease: see {@link createLookup}. */
export interface Lookup {
  /** The holder's clock; {@link Lookup.find} reads it. */
  readonly clock: HolderClock;
  /** The held key, `null` for a digest known to be nobody's; `undefined`: not held, or no lease runs. Synchronous. */
  find(digest: string): HeldKey | null | undefined;
  /** A key that is held, believed or not, by its id: looks at each. */
  byId(keyId: string): { readonly digest: string; readonly key: KeyRecord } | undefined;
  /** Asks upstream. Rejects with Failure `verification_unavailable` when it does not answer. */
  load(digest: string): Promise<HeldKey | null>;
  /** Lets what is held be believed for `lengthMs`, counted from a reading of {@link Lookup.clock} made before asking. */
  grant(fromMs: number, lengthMs: number): void;
  /** Stops believing, at once. What is held stays, for a later grant of the same session. */
  drop(): void;
  /** Forgets everything, and what is being loaded will not be kept: the start of a session, or of a node's life. */
  forget(): void;
  /** Learns of a change: drops what it is about, and taints the loads that may have missed it. */
  apply(change: Pick<Change, "kind" | "subject">): void;
  readonly leaseRemainingMs: number;
  /** Keys held. */
  readonly size: number;
  /** Digests held of which it is known that nobody has them. */
  readonly unknownSize: number;
  readonly counts: Readonly<LookupCounts>;
}

interface Load {
  readonly digest: string;
  readonly promise: Promise<HeldKey | null>;
  readonly settle: (outcome: HeldKey | null | Failure) => void;
  /** Begun without a lease: serves those who asked before it was sent, and is never kept. */
  readonly direct: boolean;
  /** When it was asked for, by the holder's clock. */
  readonly fromMs: number;
  sent: boolean;
  /** A change for it was applied, or a lease lapsed or a session began, while it was in flight. */
  tainted: boolean;
}

/**
 * The leased look-up of design §6: a cache that is believed only while a lease runs, and loads that a revocation cannot
 * slip past. No I/O and no clock of its own, so that the simulator runs exactly this.
 *
 * A load in flight when a change for it is applied, when the lease lapses or when a session begins is *tainted*: its
 * answer serves those who were already waiting, is not kept, and nobody joins it.
 *
 * @see docs/architecture.md; Gray and Cheriton, Leases (SOSP 1989).
 */
export function createLookup(options: LookupOptions): Lookup {
  const bounds = { ...LOOKUP_BOUNDS, ...options.bounds };
  const clock = holderClock(options.clocks);
  const keys = createCache<HeldKey>(bounds.keysMax);
  const unknown = createCache<true>(bounds.unknownMax);
  const joinable = new Map<string, Load>();
  const inFlight = new Set<Load>();
  let queued: Load[] = [];
  let queries = 0;
  let sendingSoon = false;
  const counts: LookupCounts = { hits: 0, misses: 0, queriesAnswered: 0, queriesFailed: 0 };
  let leaseEndMs = 0;
  let leaseRan = false;

  function leaseRuns(): boolean {
    if (clock.read() < leaseEndMs) return true;
    if (leaseRan) lapse();
    return false;
  }

  function lapse(): void {
    leaseRan = false;
    taint(() => true);
  }

  function taint(matches: (load: Load) => boolean): void {
    for (const load of inFlight) if (matches(load)) load.tainted = true;
  }

  function join(digest: string, leased: boolean): Load | undefined {
    const load = joinable.get(digest);
    if (load === undefined || load.tainted) return undefined;
    return !load.sent || (leased && !load.direct) ? load : undefined;
  }

  function begin(digest: string, leased: boolean): Load {
    let settle!: Load["settle"];
    const promise = new Promise<HeldKey | null>((resolve, reject) => {
      settle = (outcome) => (outcome instanceof Failure ? reject(outcome) : resolve(outcome));
    });
    const load = {
      digest,
      promise,
      settle,
      direct: !leased,
      fromMs: clock.read(),
      sent: false,
      tainted: false,
    };
    joinable.set(digest, load);
    inFlight.add(load);
    queued.push(load);
    sendSoon();
    return load;
  }

  function sendSoon(): void {
    if (sendingSoon || queued.length === 0 || queries === bounds.queriesMax) return;
    sendingSoon = true;
    options.soon(() => {
      sendingSoon = false;
      while (queued.length > 0 && queries < bounds.queriesMax) {
        const loads = queued.slice(0, bounds.batchMax);
        queued = queued.slice(bounds.batchMax);
        send(loads);
      }
    });
  }

  function send(loads: readonly Load[]): void {
    queries += 1;
    let isOver = false;
    const over = (): boolean => {
      if (isOver) return false;
      isOver = true;
      cancel();
      queries -= 1;
      sendSoon();
      return true;
    };
    const giveUp = (cause: unknown): void => {
      if (!over()) return; // late news
      counts.queriesFailed += 1;
      for (const load of loads) end(load, unavailable("The key could not be looked up.", cause));
    };
    const now = clock.read();
    const waitedMs = now - (loads[0]?.fromMs ?? now); // the oldest comes first
    const leftMs = Math.max(0, bounds.loadTimeoutMs - waitedMs);
    const cancel = options.after(leftMs, () => giveUp("no answer in time"));
    for (const load of loads) load.sent = true;
    options.load(loads.map((load) => load.digest)).then((answers) => {
      if (!over()) return;
      counts.queriesAnswered += 1;
      loads.forEach((load, at) => {
        const answer = answers[at];
        if (answer === undefined) end(load, unavailable("The key could not be looked up."));
        else land(load, answer);
      });
    }, giveUp);
  }

  function land(load: Load, answer: Loaded): void {
    if (!inFlight.has(load)) return; // given up already
    const held = answer.key === null ? null : { key: answer.key, tally: null };
    const leased = leaseRuns(); // notices a lapse, and taints this load, before it is kept
    if (leased && answer.cacheable && !load.direct && !load.tainted) {
      if (held === null) unknown.set(load.digest, true);
      else keys.set(load.digest, held);
    }
    end(load, held);
  }

  function end(load: Load, outcome: HeldKey | null | Failure): void {
    if (!inFlight.delete(load)) return;
    if (joinable.get(load.digest) === load) joinable.delete(load.digest);
    load.settle(outcome);
  }

  return {
    clock,
    find(digest) {
      if (!leaseRuns()) return undefined;
      const held = keys.get(digest);
      if (held !== undefined) {
        counts.hits += 1;
        return held;
      }
      if (unknown.size === 0 || unknown.get(digest) !== true) return undefined;
      counts.hits += 1;
      return null;
    },
    byId(keyId) {
      const entry = keys.entryWhere((held) => held.key.id === keyId);
      return entry === undefined ? undefined : { digest: entry[0], key: entry[1].key };
    },
    load(digest) {
      counts.misses += 1;
      const leased = leaseRuns();
      const joined = join(digest, leased);
      if (joined !== undefined) return joined.promise;
      if (inFlight.size >= bounds.loadsMax)
        return Promise.reject(unavailable("Too many keys are being looked up."));
      return begin(digest, leased).promise;
    },
    grant(fromMs, lengthMs) {
      leaseRuns(); // a lapse in between is noticed first
      if (fromMs + lengthMs > leaseEndMs) leaseEndMs = fromMs + lengthMs;
      leaseRan = clock.read() < leaseEndMs;
    },
    drop() {
      leaseEndMs = 0;
      lapse();
    },
    forget() {
      keys.clear();
      unknown.clear();
      taint(() => true);
    },
    apply(change) {
      const { subject } = change;
      if (change.kind === "key") {
        keys.delete(subject);
        unknown.delete(subject);
        taint((load) => load.digest === subject);
      } else {
        const of = change.kind;
        keys.deleteWhere((held) => held.key[of].id === subject);
        taint(() => true); // a load in flight does not say yet whose key it brings
      }
    },
    get leaseRemainingMs() {
      return leaseRuns() ? leaseEndMs - clock.read() : 0;
    },
    get size() {
      return keys.size;
    },
    get unknownSize() {
      return unknown.size;
    },
    counts,
  };
}

function unavailable(detail: string, cause?: unknown): Failure {
  return new Failure("verification_unavailable", detail, { cause, retryAfterSeconds: 1 });
}
