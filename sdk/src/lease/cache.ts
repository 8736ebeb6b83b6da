/** A bounded map that forgets what was not asked for lately. */
export interface Cache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  /** Some entry that `matches`: looks at each. */
  entryWhere(matches: (value: Value) => boolean): readonly [string, Value] | undefined;
  /** Deletes every entry that `matches`. */
  deleteWhere(matches: (value: Value) => boolean): void;
  clear(): void;
  /** Entries held; an entry asked for lately may count twice, never more than the bound in all. */
  readonly size: number;
}

/**
 * Makes a cache of at most `max` entries in two generations: when the young one is full it becomes the old one, and
 * what the old one still held is forgotten unless it was asked for since. A hit on a young entry writes nothing, which
 * an exact least-recently-used list cannot offer.
 */
export function createCache<Value>(max: number): Cache<Value> {
  const generationMax = Math.max(1, Math.floor(max / 2));
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  const set = (key: string, value: Value): void => {
    if (young.size >= generationMax && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined || old.size === 0) return value;
      const aged = old.get(key);
      if (aged !== undefined) {
        old.delete(key);
        set(key, aged);
      }
      return aged;
    },
    set(key, value) {
      old.delete(key);
      set(key, value);
    },
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    entryWhere(matches) {
      for (const generation of [young, old])
        for (const entry of generation) if (matches(entry[1])) return entry;
      return undefined;
    },
    deleteWhere(matches) {
      for (const generation of [young, old])
        for (const [key, value] of generation) if (matches(value)) generation.delete(key);
    },
    clear() {
      young = new Map();
      old = new Map();
    },
    get size() {
      return young.size + old.size;
    },
  };
}
