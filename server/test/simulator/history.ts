import type { Verdict } from "@latchkey/sdk/core";
import type { Subject } from "./memory-store.ts";
import type { Timeline } from "./timeline.ts";

/** A key whose token somebody has, or, never stored, one that somebody made up. */
export interface Token {
  readonly token: string;
  /** Absent for a made-up one. */
  readonly key?: {
    readonly id: string;
    readonly environmentId: string;
    readonly accountId: string;
  };
}

/** A promise of design §6 that was not kept. */
interface Violation {
  readonly kind:
    | "late accept"
    | "early refusal"
    | "unknown accepted"
    | "unexpected failure"
    | "not alive";
  readonly atMs: number;
  readonly text: string;
}

/** What happened, as clients see it, and whether that was allowed. */
export interface History {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
  /** A client sent a revocation. */
  invoked(subject: Subject): void;
  /** A revocation returned, or was recorded as effective: from now on nobody may accept its subject. */
  returned(subject: Subject, how: string): void;
  hasReturned(subject: Subject): boolean;
  verdict(token: Token, place: string, startMs: number, verdict: Verdict): void;
  violate(kind: Violation["kind"], text: string): void;
}

/** How often the situations occurred that the protocol is about; a run without them proves nothing. */
export interface Counts {
  verifications: number;
  accepted: number;
  refused: number;
  /** 503: neither. */
  undecided: number;
  /** Answered from memory, without a promise. */
  warm: number;
  revocations: number;
  /** Sent for something that was revoked already and not yet effective. */
  revokedAgain: number;
  /** Ended because everybody acknowledged. */
  acknowledged: number;
  /** Ended because leases lapsed. */
  outwaited: number;
  unconfirmed: number;
  /** Recorded as effective by another process than the one that revoked. */
  completedByOthers: number;
  lapses: number;
  rejoins: number;
  gaps: number;
  reaps: number;
  /** A look-up of a digest was in flight when a change for it was delivered. */
  taintedLoads: number;
  /** A look-up was in flight when a lease ended. */
  loadsAcrossLapses: number;
  crashes: number;
  stops: number;
  pauses: number;
  sleeps: number;
  issued: number;
  /** Of apps below servers: begun, and ended by the app itself. */
  sessions: number;
  releases: number;
}

export function noCounts(): Counts {
  return {
    verifications: 0,
    accepted: 0,
    refused: 0,
    undecided: 0,
    warm: 0,
    revocations: 0,
    revokedAgain: 0,
    acknowledged: 0,
    outwaited: 0,
    unconfirmed: 0,
    completedByOthers: 0,
    lapses: 0,
    rejoins: 0,
    gaps: 0,
    reaps: 0,
    taintedLoads: 0,
    loadsAcrossLapses: 0,
    crashes: 0,
    stops: 0,
    pauses: 0,
    sleeps: 0,
    issued: 0,
    sessions: 0,
    releases: 0,
  };
}

/** Instants closer than this are one: sums of doubles differ in their last bits. */
const SAME_MS = 1e-9;

export function createHistory(
  timeline: Timeline,
  trace: (text: () => string) => void,
  onReturned: (subject: Subject) => void,
): History {
  const violations: Violation[] = [];
  const counts = noCounts();
  const invokedMs = new Map<string, number>();
  const returnedMs = new Map<string, number>();
  const nameOf = ({ kind, id }: Subject): string => `${kind} ${id}`;

  /** The earliest of the times at which the key, its environment or its account were the subject. */
  function earliest(times: Map<string, number>, key: NonNullable<Token["key"]>): number {
    return Math.min(
      times.get(nameOf({ kind: "key", id: key.id })) ?? Number.POSITIVE_INFINITY,
      times.get(nameOf({ kind: "environment", id: key.environmentId })) ?? Number.POSITIVE_INFINITY,
      times.get(nameOf({ kind: "account", id: key.accountId })) ?? Number.POSITIVE_INFINITY,
    );
  }

  function violate(kind: Violation["kind"], text: string): void {
    violations.push({ kind, atMs: timeline.nowMs, text });
    trace(() => `!! ${kind}: ${text}`);
  }

  return {
    violations,
    counts,
    violate,
    invoked(subject) {
      const name = nameOf(subject);
      if (!invokedMs.has(name)) invokedMs.set(name, timeline.nowMs);
    },
    returned(subject, how) {
      const name = nameOf(subject);
      if (returnedMs.has(name)) return;
      returnedMs.set(name, timeline.nowMs);
      trace(() => `== ${name} is dead: ${how}`);
      onReturned(subject);
    },
    hasReturned: (subject) => returnedMs.has(nameOf(subject)),
    verdict({ key }, place, startMs, verdict) {
      if (key === undefined) {
        counts[verdict.ok ? "accepted" : "refused"] += 1;
        if (verdict.ok) violate("unknown accepted", `${place} accepted a token that nobody issued`);
        return;
      }
      if (verdict.ok) {
        counts.accepted += 1;
        const deadMs = earliest(returnedMs, key);
        if (startMs > deadMs + SAME_MS)
          violate(
            "late accept",
            `${place} accepted ${key.id}, asked ${(startMs - deadMs).toFixed(2)} ms after its revocation had returned`,
          );
        return;
      }
      counts.refused += 1;
      if (verdict.reason !== "revoked" || earliest(invokedMs, key) > timeline.nowMs)
        violate(
          "early refusal",
          `${place} refused ${key.id} as ${verdict.reason}, nobody revoked it`,
        );
    },
  };
}
