import type { NemesisOptions } from "./nemesis.ts";
import type { ServerProcess } from "./server-process.ts";

/** The part of the nemesis that strikes at a moment of its choice. */
export interface Ambush {
  arm(): void;
  /** The row of the process of this name was just written. */
  renewed(name: string): void;
  /** The row of the process of this name was just deleted as a dead node's. */
  reaped(name: string): void;
}

/** Mean time between two strokes of an ambush: less than what the allowance for clocks leaves over. */
const BEAT_MS = 1;

/** Longest time for which statements are held back: shorter than their clients wait. */
const HOLD_MAX_MS = 350;

/**
 * Waits for a renewal, and just after it cuts that process off and has something revoked elsewhere: then the lease that
 * must lapse is as young as can be, and ends within a hair of the barrier.
 *
 * Sometimes it holds statements back until that moment: revocations, so that one was asked for long before its commit;
 * or readings of the nodes' rows, so that one shows a row which is younger than the question.
 */
export function createAmbush(options: NemesisOptions): Ambush {
  const { timeline, random, weather, processes, leaseMs, endMs, revoke, trace } = options;
  let armed = false;
  let spared: ServerProcess | undefined;

  function letGo(): void {
    const statements = weather.held?.statements ?? [];
    weather.held = null;
    for (const run of statements) timeline.after(random.exponential(BEAT_MS), run);
  }

  function cutOff(process: ServerProcess): void {
    trace(() => `${process.machine.name} is ambushed: it reaches the store no more`);
    process.link.requestsCut = true;
    // Often it comes back just when the others take it for dead.
    const lengths = random.chance(0.5) ? random.between(0.9, 1.5) : random.between(1.5, 3);
    timeline.after(lengths * leaseMs, () => {
      process.link.requestsCut = false;
      trace(() => `${process.machine.name} reaches the store again`);
    });
  }

  return {
    arm() {
      if (armed) return;
      armed = true;
      spared = random.pick(processes);
      const what = random.pick(["", "revoke", "readNodes"]);
      if (what === "") return;
      trace(() => `statements are held: ${what}`);
      weather.held = { what, statements: [] };
      if (what === "revoke") revoke(spared);
      timeline.after(HOLD_MAX_MS, letGo);
    },
    renewed(name) {
      const caught = processes.find(({ machine }) => machine.name === name);
      if (!armed || caught === undefined || caught === spared || timeline.nowMs > endMs) return;
      armed = false;
      cutOff(caught);
      if (weather.held === null && spared !== undefined) {
        const at = spared;
        timeline.after(random.exponential(BEAT_MS), () => revoke(at));
      }
      letGo();
    },
    reaped(name) {
      const others = processes.filter(({ machine, serving }) => serving && machine.name !== name);
      if (timeline.nowMs <= endMs && others.length > 0)
        timeline.after(random.exponential(BEAT_MS), () => revoke(random.pick(others)));
    },
  };
}
