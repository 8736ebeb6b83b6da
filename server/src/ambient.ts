import { BASE62 } from "@latchkey/sdk/core";
import { customRandom } from "nanoid";
import { V7Generator } from "uuidv7";

/**
 * Everything the world tells the server besides its inputs: time and chance. `main.ts` makes the real one; tests and
 * the simulator make theirs, so that nothing else reads a clock or draws a random number.
 */
export interface Ambient {
  /** Wall clock, Unix ms. May step. */
  nowMs(): number;
  /** Monotonic clock in ms, with fractions; only differences mean anything. */
  monoMs(): number;
  /** Cryptographically strong random bytes. */
  randomBytes(count: number): Uint8Array;
  /** A new time-sortable id: `<prefix>_` and 32 hex digits of a UUIDv7 (RFC 9562). */
  sortableId(prefix: string): string;
  /** A new unguessable id: `<prefix>_` and 24 base62 characters. */
  randomId(prefix: string): string;
  /** Runs `task` when the events at hand have been handled. */
  soon(task: () => void): void;
  /** Runs `task` once, `ms` from now; the timer does not keep the process alive. Returns its cancellation. */
  after(ms: number, task: () => void): () => void;
}

/** Characters of an unguessable id: 24 in base 62 are 142 bits. */
const RANDOM_ID_CHARACTERS = 24;

/** Bytes drawn at once for ids; a draw of its own for each request would cost more than its verification. */
const ID_POOL_BYTES = 8_192;

/** Makes the {@link Ambient} of a process out of its clocks and its source of randomness. */
export function ambientOf(sources: Pick<Ambient, "nowMs" | "monoMs" | "randomBytes">): Ambient {
  const draw = pooled(sources.randomBytes);
  const sortable = new V7Generator({
    nextUint32: () => Buffer.from(draw(4)).readUInt32BE(),
  });
  const random = customRandom(BASE62, RANDOM_ID_CHARACTERS, draw);
  return {
    ...sources,
    sortableId: (prefix) => `${prefix}_${sortable.generateOrResetWithTs(sources.nowMs()).toHex()}`,
    randomId: (prefix) => `${prefix}_${random()}`,
    soon: (task) => {
      setImmediate(task);
    },
    after(ms, task) {
      const timer = setTimeout(task, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

/** The same randomness in larger draws. Each byte is given out once. */
function pooled(randomBytes: Ambient["randomBytes"]): Ambient["randomBytes"] {
  let pool = randomBytes(ID_POOL_BYTES);
  let used = 0;
  return (count) => {
    if (used + count > pool.length) {
      pool = randomBytes(Math.max(ID_POOL_BYTES, count));
      used = 0;
    }
    used += count;
    return pool.subarray(used - count, used);
  };
}
