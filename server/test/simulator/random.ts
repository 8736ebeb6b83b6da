/** Chance, all of it from one seed: the same seed gives the same world. */
export interface Random {
  /** At least `low`, below `high`. */
  between(low: number, high: number): number;
  /** A whole number from 0, below `bound`. */
  below(bound: number): number;
  chance(probability: number): boolean;
  /** Exponentially distributed, as gaps between independent events are. */
  exponential(mean: number): number;
  /** @throws Error when there is nothing to pick from. */
  pick<T>(from: readonly T[]): T;
  bytes(count: number): Uint8Array;
}

/** Makes a {@link Random}: mulberry32, which is small, fast and even enough for choosing what goes wrong. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  for (let i = 0; i < 4; i++) next(); // neighbouring seeds start alike
  return {
    between: (low, high) => low + (high - low) * next(),
    below: (bound) => Math.floor(next() * bound),
    chance: (probability) => next() < probability,
    exponential: (mean) => -Math.log(1 - next()) * mean,
    pick<T>(from: readonly T[]): T {
      const picked = from[Math.floor(next() * from.length)];
      if (picked === undefined) throw new Error("nothing to pick from");
      return picked;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)),
  };
}
