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
