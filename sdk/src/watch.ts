import { callBack } from "./call-back.ts";
import { Failure } from "./failure.ts";
import type { KeyRecord } from "./judge.ts";
import { createCache } from "./lease/cache.ts";
import { type Change, LOOKUP_BOUNDS, type Loaded, type Lookup } from "./lease/lookup.ts";

export interface Watch {
  /** Calls `callback` once when the key is revoked. Returns the end of the watch. */
  onRevoked(keyId: string, callback: () => unknown): () => void;
  /** Keys were loaded: they can be watched. */
  loaded(digests: readonly string[], loaded: readonly Loaded[]): void;
  /** A change was applied. */
  changed(change: Pick<Change, "kind" | "subject">): void;
  /** Looks every watched key up again: nobody told what changed between two sessions. */
  checkAll(): void;
  close(): void;
}

interface Watched {
  readonly digest: string;
  key: KeyRecord;
  readonly callbacks: Set<() => unknown>;
}

/** Checks under way at one time, however many keys are watched: real requests need look-ups too. */
const CHECKS_MAX = LOOKUP_BOUNDS.batchMax;

/** Pause before watched keys that could not be looked up are tried again. */
const RETRY_MS = 1_000;

/** Watches keys for connections that outlive a request. */
export function createWatch(options: {
  readonly lookup: Lookup;
  /** Keys loaded last that are known by their id; one that is held besides is found by looking at each, in ms. */
  readonly keysMax: number;
  after(ms: number, task: () => void): () => void;
}): Watch {
  const { lookup, after, keysMax } = options;
  const recent = createCache<{ readonly digest: string; readonly key: KeyRecord }>(keysMax);
  const watched = new Map<string, Watched>();
  /** Those to be checked, in turn, and those that could not be. */
  const due = new Set<Watched>();
  const failed = new Set<Watched>();
  let underWay = 0;
  let cancelRetry: (() => void) | null = null;
  let closed = false;

  function check(each: Watched): void {
    due.add(each);
    checkDue();
  }

  function checkDue(): void {
    for (const each of due) {
      if (underWay === CHECKS_MAX) return;
      due.delete(each);
      if (watched.get(each.digest) !== each) continue;
      underWay += 1;
      void checkNow(each).finally(() => {
        underWay -= 1;
        checkDue();
      });
    }
  }

  async function checkNow(each: Watched): Promise<void> {
    try {
      const held = lookup.find(each.digest) ?? (await lookup.load(each.digest));
      if (held !== null && held.key.revokedAtMs === null) each.key = held.key;
      else end(each);
    } catch {
      if (watched.get(each.digest) !== each) return;
      failed.add(each);
      cancelRetry ??= after(RETRY_MS, retry);
    }
  }

  function retry(): void {
    cancelRetry = null;
    for (const each of failed) due.add(each);
    failed.clear();
    checkDue();
  }

  function end(each: Watched): void {
    if (watched.get(each.digest) !== each) return;
    watched.delete(each.digest);
    for (const callback of each.callbacks) callBack(callback);
  }

  function find(keyId: string): { readonly digest: string; readonly key: KeyRecord } {
    const found = recent.get(keyId) ?? lookup.byId(keyId);
    if (closed || found === undefined)
      throw new Failure("resource_missing", "This key was not verified here lately.");
    recent.set(keyId, found);
    return found;
  }

  return {
    onRevoked(keyId, callback) {
      const { digest, key } = find(keyId);
      const each = watched.get(digest) ?? { digest, key, callbacks: new Set<() => unknown>() };
      const mine = (): unknown => callback();
      each.callbacks.add(mine);
      if (!watched.has(digest)) {
        watched.set(digest, each);
        check(each); // it may have been revoked since it was loaded
      }
      return () => {
        each.callbacks.delete(mine);
        if (each.callbacks.size === 0 && watched.get(digest) === each) watched.delete(digest);
      };
    },
    loaded(digests, loaded) {
      loaded.forEach(({ key }, at) => {
        const digest = digests[at];
        if (key !== null && digest !== undefined) recent.set(key.id, { digest, key });
      });
    },
    changed({ kind, subject }) {
      if (kind === "key") {
        const each = watched.get(subject);
        if (each !== undefined) check(each);
      } else for (const each of watched.values()) if (each.key[kind].id === subject) check(each);
    },
    checkAll() {
      for (const each of watched.values()) due.add(each);
      checkDue();
    },
    close() {
      closed = true;
      cancelRetry?.();
      watched.clear();
    },
  };
}
