import type { Life, Machine } from "./machine.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** How the network and the database behave in one world; nemesis and healing change it. */
export interface Weather {
  /** What every message takes at least, and what it takes on average besides. */
  delayMinMs: number;
  delayMeanMs: number;
  /** Probability that a request or an answer is lost. */
  loss: number;
  /** Probability that a statement runs long after its client gave up. */
  late: number;
  /** Probability that a statement, or its answer, takes a good part of the time-out. */
  slow: number;
  /** Probability that a look-up of keys takes longer than leases last. */
  slowLoads: number;
  storeDown: boolean;
  /** Statements that the network holds back until the nemesis lets them go; `null`: none. */
  held: Held | null;
}

interface Held {
  /** What the names of these statements begin with. */
  readonly what: string;
  readonly statements: (() => void)[];
}

/** How long a machine waits for the store; then it takes the statement for failed, though it may still run. */
export interface Patience {
  readonly timeoutMs: number;
  /** Longest extra delay of a late or slow statement. */
  readonly lateMaxMs: number;
}

/** One machine's way to the store. Each direction can be cut by itself. */
export interface Link {
  requestsCut: boolean;
  answersCut: boolean;
}

/** Asks the store from one life of a machine: see {@link createClient}. */
export interface StoreClient {
  /** Runs `execute` in the store at one instant between question and answer, or never, or after the client gave up. */
  call<T>(what: string, execute: () => T): Promise<T>;
  /** The same for a look-up of keys, which may take longer. */
  load<T>(what: string, execute: () => T): Promise<T>;
  /** The same for a deed that is not done at one instant. */
  begin<T>(what: string, execute: (done: (result: T) => void) => void): Promise<T>;
}

export interface ClientSurroundings {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly weather: Weather;
  readonly patience: Patience;
  readonly machine: Machine;
  readonly link: Link;
  readonly life: Life;
  readonly trace: (text: () => string) => void;
}

/**
 * Makes the database driver of one life: every call is answered or fails within the time-out, by the machine's own
 * clock, and a failure says nothing about whether the statement ran.
 */
export function createClient(surroundings: ClientSurroundings): StoreClient {
  const { timeline, random, weather, patience, machine, link, life, trace } = surroundings;

  let statements = 0;

  const delay = (): number => weather.delayMinMs + random.exponential(weather.delayMeanMs);

  function begin<T>(
    what: string,
    execute: (done: (result: T) => void) => void,
    slowMs: number,
    timeoutMs: number,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const source = `statement ${statements++}`;
      const cancel = life.after(timeoutMs, () => reject(new Error(`${what}: no answer in time`)));
      const answer = (settle: () => void): void =>
        life.run(source, () => {
          cancel();
          settle();
        });
      if (life.over || link.requestsCut || random.chance(weather.loss)) return;
      const lateMs = random.chance(weather.late) ? random.between(0, patience.lateMaxMs) : 0;
      const held =
        weather.held !== null && what.startsWith(weather.held.what) ? weather.held : null;
      const arrive = (): void => {
        if (weather.storeDown) {
          if (random.chance(0.7))
            timeline.after(delay(), () => answer(() => reject(new Error("the store is down"))));
          return;
        }
        try {
          execute((result) => {
            trace(() => `${machine.name} ${what} → ${JSON.stringify(result)}`);
            if (link.answersCut || random.chance(weather.loss)) return;
            timeline.after(delay() + random.between(0, slowMs), () =>
              answer(() => resolve(result)),
            );
          });
        } catch (error) {
          timeline.after(delay(), () => answer(() => reject(error)));
        }
      };
      if (held !== null) held.statements.push(arrive);
      else timeline.after(delay() + lateMs + random.between(0, slowMs), arrive);
    });
  }

  const { timeoutMs, lateMaxMs } = patience;
  const slowness = (): number => (random.chance(weather.slow) ? timeoutMs * 0.8 : 0);
  return {
    call: (what, execute) => begin(what, (done) => done(execute()), slowness(), timeoutMs),
    begin: (what, execute) => begin(what, execute, slowness(), timeoutMs),
    load(what, execute) {
      const slowMs = random.chance(weather.slowLoads) ? random.between(0, lateMaxMs) : 0;
      return begin(what, (done) => done(execute()), slowMs, Math.max(timeoutMs, slowMs * 3));
    },
  };
}
