import { Failure } from "./failure.ts";
import type { KeyRecord } from "./judge.ts";
import { createCache } from "./lease/cache.ts";
import type { Change, Loaded, Lookup } from "./lease/lookup.ts";

export interface Watch {
  /** Calls `callback` once when the key is revoked. Returns the end of the watch. */
  onRevoked(keyId: string, callback: () => void): () => void;
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
  readonly callbacks: Set<() => void>;
}

/** Keys loaded last that are known by their id; those that are held besides are found by looking at each. */
const RECENT_MAX = 2_000;

/** Pause before a watched key that could not be looked up is tried again. */
const RETRY_MS = 1_000;

/** Watches keys for connections that outlive a request. */
export function createWatch(options: {
  readonly lookup: Lookup;
  after(ms: number, task: () => void): () => void;
}): Watch {
  const { lookup, after } = options;
  const recent = createCache<{ readonly digest: string; readonly key: KeyRecord }>(RECENT_MAX);
  const watched = new Map<string, Watched>();

  async function check(each: Watched): Promise<void> {
    try {
      const held = lookup.find(each.digest) ?? (await lookup.load(each.digest));
      if (held !== null && held.key.revokedAtMs === null) each.key = held.key;
      else end(each);
    } catch {
      after(RETRY_MS, () => {
        if (watched.get(each.digest) === each) void check(each);
      });
    }
  }

  function end(each: Watched): void {
    if (!watched.delete(each.digest)) return;
    // Each by itself: one that throws keeps nobody else's connection alive.
    for (const callback of each.callbacks) queueMicrotask(callback);
  }

  function find(keyId: string): { readonly digest: string; readonly key: KeyRecord } {
    const found = recent.get(keyId) ?? lookup.byId(keyId);
    if (found === undefined)
      throw new Failure("resource_missing", "This key was not verified here lately.");
    recent.set(keyId, found);
    return found;
  }

  return {
    onRevoked(keyId, callback) {
      const { digest, key } = find(keyId);
      const each = watched.get(digest) ?? { digest, key, callbacks: new Set<() => void>() };
      if (!watched.has(digest)) {
        watched.set(digest, each);
        void check(each); // it may have been revoked since it was loaded
      }
      const mine = (): void => callback();
      each.callbacks.add(mine);
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
        if (each !== undefined) void check(each);
      } else
        for (const each of watched.values()) if (each.key[kind].id === subject) void check(each);
    },
    checkAll() {
      for (const each of watched.values()) void check(each);
    },
    close() {
      watched.clear();
    },
  };
}
