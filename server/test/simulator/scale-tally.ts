import type { Downward, Upward } from "@latchkey/sdk/core";
import type { LeaseStore } from "../../src/store/store.ts";
import type { Pipe } from "./pipe.ts";
import type { Timeline } from "./timeline.ts";

type FrameType = Downward["type"] | Upward["type"];

/** What one node asked of the database and exchanged with the verifiers below it, by name. */
export interface Tally {
  readonly statements: Map<string, number>;
  readonly frames: Map<FrameType, number>;
  /** When the last acknowledgement arrived, true time. */
  ackedMs: number;
  /** What the node's code took for each frame that it received, real µs, without what the simulator took. */
  readonly handlingUs: number[];
}

/** What one node did in some time, by the names of statements and the types of frames. */
export interface Work {
  readonly statements: Readonly<Record<string, number>>;
  readonly frames: Readonly<Record<string, number>>;
}

/** Enough for a median. */
const SAMPLES_MAX = 200_000;

export function createTally(): Tally {
  return { statements: new Map(), frames: new Map(), ackedMs: 0, handlingUs: [] };
}

function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/**
 * Counts the statements of the lease protocol. Those that renewals are made of share one connection, as in the
 * Postgres store, so that one waits for the answer of another.
 */
export function countStatements(leases: LeaseStore, { statements }: Tally): LeaseStore {
  let last: Promise<unknown> = Promise.resolve();
  const counted =
    <Ask extends unknown[], Answer>(name: string, ask: (...asked: Ask) => Promise<Answer>) =>
    (...asked: Ask): Promise<Answer> => {
      count(statements, name);
      return ask(...asked);
    };
  const inTurn =
    <Ask extends unknown[], Answer>(name: string, ask: (...asked: Ask) => Promise<Answer>) =>
    (...asked: Ask): Promise<Answer> => {
      const mine = last.catch(() => {}).then(() => counted(name, ask)(...asked));
      last = mine;
      return mine;
    };
  return {
    joinNode: inTurn("joinNode", leases.joinNode),
    readChanges: inTurn("readChanges", leases.readChanges),
    readClock: inTurn("readClock", leases.readClock),
    renewNode: inTurn("renewNode", leases.renewNode),
    acknowledge: inTurn("acknowledge", leases.acknowledge),
    readNodes: counted("readNodes", leases.readNodes),
    recordEffective: counted("recordEffective", leases.recordEffective),
    pendingRevocations: counted("pendingRevocations", leases.pendingRevocations),
    trimChanges: counted("trimChanges", leases.trimChanges),
    reapNode: counted("reapNode", leases.reapNode),
    releaseNode: counted("releaseNode", leases.releaseNode),
  };
}

/** Counts the frames of one connection where it meets the node, and times how the node handles them. */
export function countFrames(pipe: Pipe, tally: Tally, timeline: Timeline): Pipe {
  let sendingMs = 0;
  return {
    names: pipe.names,
    accept(life, end) {
      const side = pipe.accept(life, {
        frame(frame) {
          count(tally.frames, frame.type);
          if (frame.type === "ack") tally.ackedMs = timeline.nowMs;
          sendingMs = 0;
          const beganMs = performance.now();
          end.frame(frame);
          const tookMs = performance.now() - beganMs - sendingMs;
          if (tally.handlingUs.length < SAMPLES_MAX) tally.handlingUs.push(tookMs * 1_000);
        },
        closed: end.closed,
      });
      return {
        send(frame) {
          count(tally.frames, frame.type);
          const beganMs = performance.now();
          side.send(frame);
          sendingMs += performance.now() - beganMs;
        },
        close: side.close,
      };
    },
    abandon: pipe.abandon,
    stall: pipe.stall,
    kill: pipe.kill,
    get over() {
      return pipe.over;
    },
  };
}

/** What a node has done so far. */
export function workOf({ statements, frames }: Tally): Work {
  return { statements: Object.fromEntries(statements), frames: Object.fromEntries(frames) };
}

/** What a node did between two readings. */
export function workSince(before: Work, after: Work): Work {
  return {
    statements: less(after.statements, before.statements),
    frames: less(after.frames, before.frames),
  };
}

function less(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = Object.keys(after);
  return Object.fromEntries(names.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]));
}
