/** The two clocks of a process, in ms. Only differences of `monoMs` mean anything; `wallMs` is Unix time and may step. */
export interface Clocks {
  monoMs(): number;
  wallMs(): number;
}

/** Allowance for clocks that run at different rates: a holder stops this much early, a waiter this much late. */
export const RATE_ALLOWANCE = 0.01;

/** Two readings whose advances differ by more than this plus 2 % were not of an undisturbed machine: some clock stepped or slept. */
const DISAGREEMENT_MS = 20;
const DISAGREEMENT_RATE = 0.02;

/** Added to the elapsed time when the clocks disagree: longer than any lease, so that every lease ends. */
const BEYOND_ANY_LEASE_MS = 1e9;

/** How long one pair of reference readings serves before a fresh pair replaces it. */
const WINDOW_MS = 1000;

/** A holder's reading of time: see {@link holderClock}. */
export interface HolderClock {
  /** Reads both clocks afresh and returns the ms elapsed since the clock was made, by the faster of the two. */
  read(): number;
  /** Wall clock of the last {@link HolderClock.read}, Unix ms. */
  readonly wallMs: number;
}

/**
 * The clock by which a holder of a lease judges its age.
 *
 * Monotonic clocks stop while a machine sleeps and wall clocks step, so both are read at each use and the larger
 * elapsed time counts; advances that differ by more than 2 % + 20 ms either way end every lease. Elapsed time is
 * measured against a pair of readings at most about a second old, not against the previous reading: adding up the
 * larger of two advances a microsecond apart would run twice as fast as time does.
 */
export function holderClock(clocks: Clocks): HolderClock {
  let monoAtWindow = clocks.monoMs();
  let wallAtWindow = clocks.wallMs();
  let elapsedAtWindow = 0;
  let elapsed = 0;
  const clock = {
    wallMs: wallAtWindow,
    read(): number {
      let monoMs = clocks.monoMs();
      let wallMs = clocks.wallMs();
      // The process may have been off the processor between the two: a second pair tells that from a clock's step.
      if (disagree(monoMs - monoAtWindow, wallMs - wallAtWindow)) {
        monoMs = clocks.monoMs();
        wallMs = clocks.wallMs();
      }
      clock.wallMs = wallMs;
      const byMono = monoMs - monoAtWindow;
      const byWall = wallMs - wallAtWindow;
      const larger = Math.max(byMono, byWall);
      const stepped = disagree(byMono, byWall);
      const now = elapsedAtWindow + larger + (stepped ? BEYOND_ANY_LEASE_MS : 0);
      if (now > elapsed) elapsed = now; // a wall clock set back by a little never makes a lease younger
      if (stepped || larger > WINDOW_MS) {
        monoAtWindow = monoMs;
        wallAtWindow = wallMs;
        elapsedAtWindow = elapsed;
      }
      return elapsed;
    },
  };
  return clock;
}

function disagree(byMono: number, byWall: number): boolean {
  return Math.abs(byMono - byWall) > DISAGREEMENT_MS + DISAGREEMENT_RATE * byMono;
}
