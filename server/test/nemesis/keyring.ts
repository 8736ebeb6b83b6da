import type { Random } from "../simulator/random.ts";
import type { Subject } from "./history.ts";

/** A key, or a service token, that clients hold. The token stays here: histories have ids. */
export interface HeldKey {
  readonly subject: Subject;
  readonly token: string;
}

/** What clients present in a run: keys, or service tokens. */
export interface Keyring {
  add(key: HeldKey): void;
  /** Tells that a key is dead, so that it is presented less often. */
  bury(key: HeldKey): void;
  /** @throws Error when there is no key at all. */
  pick(random: Random): HeldKey;
}

/** Of the dead ones, this many are as interesting as the living. */
const FRESH_GRAVES = 10;

/** Makes an empty ring. */
export function createKeyring(): Keyring {
  const living: HeldKey[] = [];
  const dead: HeldKey[] = [];
  return {
    add: (key) => void living.push(key),
    bury(key) {
      living.splice(living.indexOf(key), 1);
      dead.push(key);
    },
    pick(random) {
      if (dead.length > 0 && random.chance(0.3))
        return random.pick(random.chance(0.7) ? dead.slice(-FRESH_GRAVES) : dead);
      return random.pick(living);
    },
  };
}
