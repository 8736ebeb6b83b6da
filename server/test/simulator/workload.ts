import { tokenChecksum } from "@latchkey/sdk/core";
import type { History, Token } from "./history.ts";
import type { Judging } from "./judging.ts";
import type { Weather } from "./link.ts";
import type { Subject } from "./memory-store.ts";
import type { Random } from "./random.ts";
import type { ServerProcess } from "./server-process.ts";
import type { Timeline } from "./timeline.ts";

/** How busy the clients of one world are. */
export interface Load {
  /** Mean time between two verifications. */
  readonly gapMs: number;
  /** Mean time between two revocations. */
  readonly revokeGapMs: number;
  /** From then on nobody revokes, edits or breaks anything. */
  readonly endMs: number;
  readonly leaseMs: number;
  /** How long a revocation may take where nothing goes wrong; `Infinity` where something does. */
  readonly revokeMaxMs: number;
}

/** The clients: they verify anywhere, revoke, issue and edit at random servers, and probe after each revocation. */
export interface Workload {
  start(): void;
  /** Asks every process for what was just revoked, within the next 50 ms or so. */
  probe(subject: Subject): void;
  /** Revokes the oldest living key, which everybody has warm, at `process`; absent when there is none. */
  revokeOne(process: ServerProcess): Subject | undefined;
  /** Edits some living key: a change that revokes nothing. */
  edit(): void;
  /** Tokens that nobody revoked. */
  readonly alive: readonly Token[];
}

/** Probes of each process after a revocation, most of them soon: an error of the protocol may show for a moment only. */
const PROBES = 3;
const PROBED_MS = 50;

type Issued = Required<Token>;

/** Keys that clients use at one time: few, so that every process has them warm. */
const ALIVE_MIN = 5;

/** Tokens revoked lately that clients go on trying. */
const RECENT_MAX = 8;

/** How often a client repeats a revocation that failed. */
const REPEATS_MAX = 3;

export function createWorkload(options: {
  timeline: Timeline;
  random: Random;
  weather: Weather;
  history: History;
  processes: readonly ServerProcess[];
  /** Whatever verifies: the processes, and the apps below them. */
  verifiers: readonly Judging[];
  load: Load;
}): Workload {
  const { timeline, random, weather, history, processes, verifiers, load } = options;
  const { leaseMs, endMs } = load;
  const issued: Issued[] = [];
  const madeUp = ["A", "B", "C"].map((letter): Token => {
    const body = `sk_${letter.repeat(30)}`;
    return { token: body + tokenChecksum(body) };
  });
  let alive: Issued[] = [];
  let recent: Issued[] = [];
  let scopes = 0;
  let account = "acc_0";
  let environments = ["env_a", "env_b"];

  function verify(process: Judging, token: Token): void {
    const startMs = timeline.nowMs;
    if (random.chance(0.3)) process.verify(token, startMs);
    else
      timeline.after(random.exponential(weather.delayMeanMs) * 0.3, () =>
        process.verify(token, startMs),
      );
  }

  function issue(): void {
    const environmentId = random.pick(environments);
    random.pick(processes).issue(environmentId, account, (token) => {
      if (token.key === undefined || !environments.includes(environmentId)) return;
      history.counts.issued += 1;
      const known = { token: token.token, key: token.key };
      issued.push(known);
      alive.push(known);
    });
  }

  /** A random key that the subject takes away. */
  function keyOf({ kind, id }: Subject): Issued | undefined {
    const field = { key: "id", environment: "environmentId", account: "accountId" } as const;
    const under = issued.filter(({ key }) => key[field[kind]] === id);
    return under.length === 0 ? undefined : random.pick(under);
  }

  function revoke(subject: Subject, process: ServerProcess, repeats = 0): void {
    history.invoked(subject);
    if (repeats === 0) history.counts.revocations += 1;
    const sentMs = timeline.nowMs;
    const wait = random.chance(0.9);
    timeline.after(random.exponential(weather.delayMeanMs) * 0.3, () =>
      process.revoke(subject, wait, (outcome) => {
        if (outcome.kind === "effective") {
          const { acknowledged, lapsed } = outcome.revocation;
          history.counts[lapsed === 0 ? "acknowledged" : "outwaited"] += 1;
          const tookMs = timeline.nowMs - sentMs;
          if (tookMs > load.revokeMaxMs)
            history.violate("not alive", `an undisturbed revocation took ${tookMs.toFixed(0)} ms`);
          const receipt = `${acknowledged} acknowledged, ${lapsed} lapsed, at ${process.machine.name}`;
          history.returned(subject, `returned after ${tookMs.toFixed(0)} ms, ${receipt}`);
        } else if (outcome.kind === "failed" && repeats < REPEATS_MAX) {
          history.counts.unconfirmed += 1;
          timeline.after(random.between(1, 50), () =>
            revoke(subject, random.pick(processes), repeats + 1),
          );
        }
      }),
    );
    const key = keyOf(subject);
    if (key === undefined || repeats > 0) return;
    for (let i = 0; i < 14; i++) {
      const spread = random.chance(0.5) ? 0.3 : 2.4;
      timeline.after(random.between(0, spread) * leaseMs, () =>
        verify(random.pick(verifiers), key),
      );
    }
  }

  function retire(dead: (token: Issued) => boolean): void {
    recent.push(...alive.filter(dead));
    recent = recent.slice(-RECENT_MAX);
    alive = alive.filter((token) => !dead(token));
  }

  /** Takes something living out of use, and names it. */
  function choose(): Subject | undefined {
    const chance = random.between(0, 1);
    if (chance < 0.04) {
      const id = account;
      account = `acc_${++scopes}`;
      environments = [`env_${scopes}a`, `env_${scopes}b`];
      retire(({ key }) => key.accountId === id);
      return { kind: "account", id };
    }
    if (chance < 0.15) {
      const id = random.pick(environments);
      environments = [...environments.filter((each) => each !== id), `env_${++scopes}c`];
      retire(({ key }) => key.environmentId === id);
      return { kind: "environment", id };
    }
    if (alive.length === 0) return undefined;
    const { id } = random.pick(alive).key;
    retire(({ key }) => key.id === id);
    return { kind: "key", id };
  }

  function revokeSome(): void {
    if (timeline.nowMs > endMs) return;
    const subject = choose();
    if (subject !== undefined) {
      revoke(subject, random.pick(processes));
      if (random.chance(0.3))
        timeline.after(random.between(0, 0.7) * leaseMs, () => {
          if (!history.hasReturned(subject)) history.counts.revokedAgain += 1;
          revoke(subject, random.pick(processes));
        });
    }
    for (let missing = ALIVE_MIN - alive.length; missing > 0; missing--) issue();
    if (random.chance(0.2)) edit();
    timeline.after(random.exponential(load.revokeGapMs), revokeSome);
  }

  function edit(): void {
    if (alive.length > 0) random.pick(processes).edit(random.pick(alive).key.id);
  }

  function verifySome(): void {
    const chance = random.between(0, 1);
    const from = chance < 0.03 ? madeUp : chance < 0.25 ? recent : alive;
    if (from.length > 0) verify(random.pick(verifiers), random.pick(from));
    timeline.after(random.exponential(load.gapMs), verifySome);
  }

  return {
    start() {
      timeline.at(200, () => {
        for (let i = 0; i < ALIVE_MIN; i++) issue();
      });
      timeline.at(300, verifySome);
      timeline.at(500, revokeSome);
    },
    probe(subject) {
      const key = keyOf(subject);
      if (key === undefined) return;
      for (const process of verifiers)
        for (let i = 0; i < PROBES; i++)
          timeline.after(random.between(0, 1) * random.between(0, 1) * PROBED_MS, () =>
            verify(process, key),
          );
    },
    revokeOne(process) {
      const token = alive[0];
      if (token === undefined) return undefined;
      const subject = { kind: "key", id: token.key.id } as const;
      retire(({ key }) => key.id === token.key.id);
      revoke(subject, process);
      return subject;
    },
    edit,
    get alive() {
      return alive;
    },
  };
}
