import { Failure, type Verdict, type Verify } from "@latchkey/sdk/core";
import type { History, Token } from "./history.ts";

/** A process that verifies, as its clients meet it. */
export interface Judging {
  readonly name: string;
  /** It takes requests. */
  readonly serving: boolean;
  /** A client asked at `startMs`; the request has just arrived. */
  verify(token: Token, startMs: number): void;
  /** Whether a token is answered from memory now. Asks nobody. */
  isWarm(token: string): boolean;
}

/** The clients' side of a process, for whichever life of it serves. */
export interface Judge extends Judging {
  /** From now on `verify` answers, each request run by `handle`. */
  judgeWith(verify: Verify, handle: (task: () => void) => void): void;
  stop(): void;
}

const ASK = { types: ["secret"] } as const;

export function createJudging(name: string, history: History): Judge {
  let current: { verify: Verify; handle: (task: () => void) => void } | null = null;
  return {
    name,
    get serving() {
      return current !== null;
    },
    judgeWith(verify, handle) {
      current = { verify, handle };
    },
    stop() {
      current = null;
    },
    verify(token, startMs) {
      const now = current;
      now?.handle(() => {
        history.counts.verifications += 1;
        const decided = (verdict: Verdict): void => history.verdict(token, name, startMs, verdict);
        const outcome = now.verify(token.token, ASK);
        if (!(outcome instanceof Promise)) {
          history.counts.warm += 1;
          decided(outcome);
          return;
        }
        outcome.then(decided, (error: unknown) => {
          if (error instanceof Failure && error.code === "verification_unavailable")
            history.counts.undecided += 1;
          else history.violate("unexpected failure", `${name} could not verify: ${error}`);
        });
      });
    },
    isWarm(token) {
      const outcome = current?.verify(token, ASK);
      if (outcome instanceof Promise) outcome.catch(() => {});
      return outcome !== undefined && !(outcome instanceof Promise);
    },
  };
}
