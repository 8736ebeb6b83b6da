import type { CallerTally, HeldKey, KeyTally } from "./held-key.ts";
import type { Ask, KeyType } from "./judge.ts";
import type { Caller, CallerUse, KeyCount, Outcome, RefusalNote } from "./usage.ts";
import type { Refused } from "./verdict.ts";

/** Verdicts of one key in one minute, and who sent those requests. */
export interface DrainedCount {
  readonly count: KeyCount;
  readonly callers: readonly CallerUse[];
}

/** What was counted since the last drain. */
export interface Drained {
  /** Made one at a time, for there may be a hundred thousand. */
  readonly counts: Iterable<DrainedCount>;
  readonly refusals: readonly RefusalNote[];
}

/** Counts verdicts: see {@link createTally}. */
export interface Tally {
  accepted(held: HeldKey, atMs: number, caller: Caller | undefined): void;
  refused(refused: Refused, held: HeldKey | null, ask: Ask, atMs: number, caller?: Caller): void;
  drain(): Drained;
  /** Since the start of this process, by outcome or reason; what is accepted counts once its drain is read. */
  readonly totals: Readonly<Record<"accepted" | Refused["reason"], number>>;
}

const MINUTE_MS = 60_000;

/** Callers of one key between two drains; past it those seen least lately are forgotten. */
const CALLERS_MAX = 20;

/** Refusals kept of one key between two drains: who retries a dead key in a loop says the same each time. */
const REFUSALS_OF_KEY_MAX = 5;

/** Refusals kept of a process: so many at once, and then so many a second; apart, for made-up tokens cost nothing. */
const KEPT_AT_ONCE = 50;
const KEPT_A_SECOND = { ofKeys: 10, ofNobody: 1 };

/**
 * An account that has kept so many between two drains leaves the last ones to the others: whoever floods one account's
 * dead keys hides no other account's refusals.
 */
const REFUSALS_OF_ACCOUNT = 5;
const KEPT_FOR_OTHERS = 10;

/** A request id, which may be an application's own, that is kept. */
const REQUEST_ID = /^[\x21-\x7e]{1,64}$/;

/** Characters of an environment asked for; no slug is as long. */
const ENVIRONMENT_CHARACTERS_MAX = 64;

const KEY_TYPES: readonly KeyType[] = ["secret", "public"];

/**
 * Counts verdicts by key, minute and outcome. The hot path increments what it finds at hand; whatever takes longer is
 * left to whoever drains, and what an attacker could make grow is bounded: refusals are sampled, callers are the newest.
 */
export function createTally(): Tally {
  const ofKeys = createSampler(KEPT_A_SECOND.ofKeys);
  const ofNobody = createSampler(KEPT_A_SECOND.ofNobody);
  const totals: Record<"accepted" | Refused["reason"], number> = {
    accepted: 0,
    no_credentials: 0,
    malformed: 0,
    wrong_kind: 0,
    unknown: 0,
    revoked: 0,
    expired: 0,
    type: 0,
    environment: 0,
  };
  let tallies: KeyTally[] = [];
  let refusals: RefusalNote[] = [];
  /** Refusals kept since the last drain, by account. */
  let keptOf = new Map<string, number>();
  let turn = 0;
  let minuteMs = 0;
  let minuteEndsMs = 0;

  function tallyOf(held: HeldKey, atMs: number): KeyTally {
    if (atMs >= minuteEndsMs) {
      turn += 1;
      minuteMs = atMs - (atMs % MINUTE_MS);
      minuteEndsMs = minuteMs + MINUTE_MS;
    }
    const { tally } = held;
    return tally !== null && tally.turn === turn ? tally : begin(held);
  }

  function begin(held: HeldKey): KeyTally {
    const tally: KeyTally = {
      held,
      turn,
      minuteMs,
      accepted: 0,
      revoked: 0,
      expired: 0,
      type: 0,
      environment: 0,
      lastAt: 0,
      caller: null,
      callers: null,
      refusalsKept: 0,
    };
    held.tally = tally;
    tallies.push(tally);
    return tally;
  }

  /** Whether a refusal is kept. @param tally Of its key, `null` when no key was found. */
  function isKept(tally: KeyTally | null, atMs: number): boolean {
    if (tally === null) return ofNobody(atMs, 0);
    if (tally.refusalsKept >= REFUSALS_OF_KEY_MAX) return false;
    const { id } = tally.held.key.account;
    const kept = keptOf.get(id) ?? 0;
    if (!ofKeys(atMs, kept < REFUSALS_OF_ACCOUNT ? 0 : KEPT_FOR_OTHERS)) return false;
    keptOf.set(id, kept + 1);
    tally.refusalsKept += 1;
    return true;
  }

  return {
    accepted(held, atMs, caller) {
      const tally = tallyOf(held, atMs);
      const at = atMs - minuteMs;
      tally.accepted += 1;
      tally.lastAt = at;
      if (caller !== undefined) countCaller(tally, caller, at);
    },
    refused({ reason, refusal }, held, ask, atMs, caller) {
      totals[reason] += 1;
      const tally = held === null ? null : tallyOf(held, atMs);
      if (tally !== null && isOutcome(reason)) tally[reason] += 1;
      if (!isKept(tally, atMs) || !REQUEST_ID.test(refusal.request_id)) return;
      refusals.push({
        requestId: refusal.request_id,
        atMs,
        reason,
        keyId: held === null ? null : held.key.id,
        types: KEY_TYPES.filter((type) => ask.types.includes(type)),
        environment: plainText(ask.environment, ENVIRONMENT_CHARACTERS_MAX),
        ...fitToKeep(caller),
      });
    },
    drain() {
      const drained = { counts: finished(tallies, totals), refusals };
      turn += 1;
      tallies = [];
      refusals = [];
      keptOf = new Map();
      return drained;
    },
    totals,
  };
}

function isOutcome(reason: Refused["reason"]): reason is Outcome & Refused["reason"] {
  return (
    reason === "revoked" || reason === "expired" || reason === "type" || reason === "environment"
  );
}

/** Asks whether one more is kept, and `spare` are left: so many at once, and then `aSecond` (a token bucket). */
function createSampler(aSecond: number): (atMs: number, spare: number) => boolean {
  let left = KEPT_AT_ONCE;
  let lastMs = 0;
  return (atMs, spare) => {
    const passedMs = Math.max(0, atMs - lastMs); // the wall clock may be set back
    left = Math.min(KEPT_AT_ONCE, left + (passedMs * aSecond) / 1_000);
    lastMs = atMs;
    if (left < 1 + spare) return false;
    left -= 1;
    return true;
  };
}

function countCaller(tally: KeyTally, caller: Caller, at: number): void {
  let known = tally.caller;
  if (known === null || !isSame(known, caller)) {
    known = callerOf(tally, caller, at);
    tally.caller = known;
  }
  known.lastAt = at;
  known.count += 1;
}

function callerOf(tally: KeyTally, caller: Caller, at: number): CallerTally {
  tally.callers ??= [];
  const { callers } = tally;
  const known = callers.find((each) => isSame(each, caller));
  if (known !== undefined) return known;
  if (callers.length === CALLERS_MAX) dropOldest(callers);
  const { address, userAgent } = caller;
  const added = { address, userAgent, firstAt: at, lastAt: at, count: 0 };
  callers.push(added);
  return added;
}

function isSame(a: Caller, b: Caller): boolean {
  return a.userAgent === b.userAgent && a.address === b.address;
}

function dropOldest(callers: CallerTally[]): void {
  const oldest = Math.min(...callers.map(({ lastAt }) => lastAt));
  callers.splice(
    callers.findIndex(({ lastAt }) => lastAt === oldest),
    1,
  );
}

function* finished(tallies: readonly KeyTally[], totals: { accepted: number }): Drained["counts"] {
  for (const tally of tallies) {
    const { held, minuteMs, lastAt } = tally;
    if (held.tally === tally) held.tally = null;
    const keyId = held.key.id;
    const { accepted, revoked, expired, type, environment } = tally;
    totals.accepted += accepted;
    const counts = { accepted, revoked, expired, type, environment };
    const callers = (tally.callers ?? []).map((each) => ({
      keyId,
      ...fitToKeep(each),
      firstMs: minuteMs + each.firstAt,
      lastMs: minuteMs + each.lastAt,
      count: each.count,
    }));
    const lastAcceptedMs = accepted === 0 ? 0 : minuteMs + lastAt;
    yield { count: { keyId, minuteMs, counts, lastAcceptedMs }, callers };
  }
}

const NOBODY: Caller = { address: null, userAgent: null };

/** Characters of an IPv6 address with an IPv4 tail, and of a User-Agent that is kept. */
const ADDRESS_CHARACTERS_MAX = 45;
const USER_AGENT_CHARACTERS_MAX = 256;

/** A caller as it may be kept: an address in one spelling (RFC 4291, section 2.5.5.2), a cut, printable User-Agent. */
function fitToKeep(caller: Caller | undefined): Caller {
  if (caller === undefined) return NOBODY;
  const { address, userAgent } = caller;
  return {
    address: plainAddress(address),
    userAgent: plainText(userAgent, USER_AGENT_CHARACTERS_MAX),
  };
}

function plainAddress(given: unknown): string | null {
  const text = plainText(given, ADDRESS_CHARACTERS_MAX + IPV4_INSIDE.length);
  if (text === null) return null;
  const isInside = text.startsWith(IPV4_INSIDE) && text.includes(".");
  const address = isInside ? text.slice(IPV4_INSIDE.length) : text;
  return address.length <= ADDRESS_CHARACTERS_MAX && /^[0-9a-fA-F:.]+$/.test(address)
    ? address
    : null;
}

const IPV4_INSIDE = "::ffff:";

/**
 * The beginning of a text, printable. `null` for what is none: an app need not be written with types, and an error when
 * this is drained would end it.
 */
function plainText(given: unknown, charactersMax: number): string | null {
  if (typeof given !== "string") return null;
  // Put together anew: a slice keeps the whole header that it is of in memory.
  const beginning = ` ${given.slice(0, charactersMax)}`.slice(1);
  return beginning.replace(/[^\x20-\x7e]/g, "?");
}
