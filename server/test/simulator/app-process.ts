import {
  createLookup,
  createUpstream,
  createVerifier,
  type Lookup,
  type Upstream,
} from "@latchkey/sdk/core";
import type { Token } from "./history.ts";
import { createJudging, type Judging } from "./judging.ts";
import { createMachine, type Machine } from "./machine.ts";
import { openPipe, type Pipe } from "./pipe.ts";
import type { ServerProcess, Surroundings } from "./server-process.ts";

/** A process of the operator's API with the SDK in it, on a machine of its own: a verifier below a server. */
export interface AppProcess extends Judging {
  readonly machine: Machine;
  boot(): void;
  crash(ms: number): void;
  /** Closes its verifier, which releases its sub-lease, and comes back with a new one. */
  close(ms: number): void;
}

export interface AppSurroundings extends Surroundings {
  readonly servers: readonly ServerProcess[];
  readonly pipes: Set<Pipe>;
  /** How long a connection may take to be welcomed, and the longest pause between two attempts. */
  readonly patienceMs: number;
}

/** What was verified is in the history. */
const UNCOUNTED = { accepted() {}, refused() {} };

export function createAppProcess(name: string, surroundings: AppSurroundings): AppProcess {
  const { timeline, random, history, servers, pipes, trace, patienceMs } = surroundings;
  const machine = createMachine(name, surroundings);
  let upstream: Upstream | null = null;
  let mine: Pipe[] = [];
  let ids = 0;
  const judging = createJudging(name, history);

  function boot(): void {
    if (machine.up) return;
    const life = machine.boot();
    life.run("start", () => {
      const lookup: Lookup = (surroundings.appLookup ?? ((part) => part))(
        createLookup({
          clocks: { monoMs: machine.monoMs, wallMs: machine.wallMs },
          load: (digests) => above.look(digests),
          soon: (task) =>
            timeline.after(random.between(0, 1), () => life.run(`soon ${ids++}`, task)),
          after: life.after,
        }),
        life.after,
      );
      const above = createUpstream({
        lookup,
        after: life.after,
        random: () => random.between(0, 1),
        retryMaxMs: patienceMs,
        welcomeMaxMs: patienceMs,
        open(listener) {
          const server = random.pick(servers);
          const names = `${name}–${server.machine.name} ${ids++}`;
          const { pipe, side } = openPipe(surroundings, names, life, listener);
          mine = [...mine.filter((each) => !each.over), pipe];
          pipes.add(pipe);
          const { delayMinMs, delayMeanMs } = surroundings.weather;
          timeline.after(delayMinMs + random.exponential(delayMeanMs), () =>
            server.accept(pipe, name),
          );
          return side;
        },
        onSession(event) {
          if (event === "began") history.counts.sessions += 1;
          trace(() => `${name}: ${event === "granted" ? "a grant" : `a session ${event}`}`);
        },
      });
      upstream = above;
      const verifier = createVerifier({
        lookup,
        tally: UNCOUNTED,
        requestId: () => `req_${name}_${ids++}`,
      });
      judging.judgeWith(verifier.verify, (task) => life.run(`request ${ids++}`, task));
    });
  }

  function end(comesBackAfterMs: number): void {
    judging.stop();
    upstream = null;
    machine.crash();
    for (const pipe of mine) if (!pipe.over) pipe.abandon("up");
    mine = [];
    timeline.after(comesBackAfterMs, boot);
  }

  return {
    ...judging,
    machine,
    boot,
    verify: (token: Token, startMs) => judging.verify(token, startMs),
    get serving() {
      return judging.serving;
    },
    crash(ms) {
      if (!machine.up) return;
      history.counts.crashes += 1;
      end(ms);
    },
    close(ms) {
      if (upstream === null || machine.paused) return;
      history.counts.releases += 1;
      trace(() => `${name} closes its verifier`);
      upstream.close();
      end(ms);
    },
  };
}
