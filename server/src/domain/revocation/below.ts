import {
  type Change,
  type Connection,
  type Downward,
  type HeldKey,
  type Loaded,
  type Lookup,
  RATE_ALLOWANCE,
  type Upward,
  type UsageBatch,
} from "@latchkey/sdk/core";
import type { Ambient } from "../../ambient.ts";

export interface BelowOptions {
  readonly lookup: Lookup;
  readonly ambient: Ambient;
  readonly leaseMs: number;
  /** Stores what a verifier below has counted; `source` is its process. Rejects when it should be sent again. */
  report(source: string, batch: UsageBatch, hurry: boolean): Promise<void>;
  /** Called when a higher seq is acknowledged by everything below than before. */
  onAcknowledged(): void;
}

/** The verifier token that a session came with. */
export interface Holder {
  readonly id: string;
  /** SHA-256 of it, base64url: what its deletion is announced by. */
  readonly digest: string;
}

/** One verifier's end of its session, for the transport. */
export interface Session {
  receive(frame: Upward): void;
  /** The connection ended. That proves nothing: what was granted is waited out. */
  closed(): void;
}

/** The verifiers below this node: see {@link createBelow}. */
export interface Below {
  /**
   * Begins a session, whose cache is empty. It ends when its holder's token is deleted; one that keeps everybody
   * waiting is granted less.
   */
  open(connection: Connection<Downward>, holder: Holder): Session;
  /** Passes a change on. */
  apply(change: Change): void;
  /** The highest seq that everything below has acknowledged or outlived, and this node has applied. */
  readonly acknowledgedSeq: number;
  /** Ends every session and begins anew at `seq`; only for a node whose row is new, for the old one keeps the promise. */
  restart(seq: number): void;
  /** This node's lease was renewed. */
  renewed(): void;
  /** Grants nothing more, and asks everybody to release. Resolves when nothing granted can be believed any more. */
  leave(): Promise<void>;
  /** Sessions, and ended ones whose sub-lease may still be believed. */
  readonly size: number;
  /** Holders that are granted less than a full lease, by id, and how long, ms. */
  readonly curtailed: ReadonlyMap<string, number>;
}

interface Held {
  readonly connection: Connection<Downward>;
  readonly holder: Holder;
  open: boolean;
  /** It was asked to release, and is granted nothing more. */
  leaving: boolean;
  /** What it has acknowledged. */
  acked: number;
  /** What it has acknowledged or outlived. */
  settled: number;
  /** What may still be believed, counted on the monotonic clock from after it was granted; `null`: nothing. */
  grant: { readonly fromMs: number; readonly lengthMs: number } | null;
  /** The latest ask, until it can be granted. */
  ask: number | null;
  /** Looks and reports that are not answered yet. */
  underWay: number;
  /** When it was last heard of, monotonic. */
  heardMs: number;
  cancelLapse: (() => void) | null;
}

/** A holder that misses acknowledgements is granted no less than this part of a lease. */
const GRANT_MIN = 1 / 16;

/** A session is told that the node renewed when what it was granted is older than this part of a lease. */
const STALE_GRANT = 1 / 4;

/** Looks and reports of one session under way at one time: a verifier batches, and has no use for more. */
const UNDER_WAY_MAX = 100;

/**
 * The node's half of "below a node" (design §6): sub-leases that never outlast the node's own, changes in order, and
 * which of them everything below has acknowledged or outlived.
 *
 * A change is owed by every session with something granted. It is settled by the session's acknowledgement, by its
 * release, or by waiting its grant out; whoever owes is granted nothing.
 */
export function createBelow(options: BelowOptions): Below {
  const { lookup, ambient, leaseMs } = options;
  const sessions = new Set<Held>();
  /** How many sessions still owe a change, by its seq; none of those below `acknowledged` do. */
  const owing = new Map<number, number>();
  const allowanceMs = new Map<string, number>();
  let applied = 0;
  let acknowledged = 0;
  let leaving = false;
  let gone: (() => void) | null = null;

  function grantLeftMs({ grant }: Held): number {
    return grant === null ? 0 : grant.lengthMs - (ambient.monoMs() - grant.fromMs);
  }

  function settle(session: Held, seq: number): void {
    const before = acknowledged;
    for (let each = session.settled + 1; each <= seq; each++)
      owing.set(each, (owing.get(each) ?? 0) - 1);
    session.settled = Math.max(session.settled, seq);
    advance();
    if (acknowledged > before) options.onAcknowledged();
  }

  function advance(): void {
    while (acknowledged < applied && (owing.get(acknowledged + 1) ?? 0) === 0)
      owing.delete(++acknowledged);
  }

  /** Watches a session that owes, or that ended, until its grant has run out. */
  function awaitLapse(session: Held): void {
    session.cancelLapse ??= ambient.after(Math.max(0, grantLeftMs(session)), () => {
      session.cancelLapse = null;
      if (session.settled === applied && session.open && !session.leaving) return;
      if (grantLeftMs(session) > 0) awaitLapse(session);
      else lapse(session);
    });
  }

  /** Nothing granted is left: what the session still owed has been outlived. */
  function lapse(session: Held): void {
    session.grant = null;
    if (session.settled < applied) curtail(session.holder.id, 1 / 2);
    outlive(session);
  }

  function outlive(session: Held): void {
    settle(session, applied);
    if (session.open && !session.leaving) return;
    session.open = false;
    session.connection.close();
    session.cancelLapse?.();
    sessions.delete(session);
    if (sessions.size === 0) gone?.();
  }

  function curtail(id: string, factor: number): void {
    const before = allowanceMs.get(id) ?? leaseMs;
    const next = Math.max(leaseMs * GRANT_MIN, before * factor);
    if (next < leaseMs) allowanceMs.set(id, next);
    else allowanceMs.delete(id);
  }

  function end(session: Held): void {
    session.open = false;
    session.connection.close();
    if (grantLeftMs(session) > 0) awaitLapse(session);
    else outlive(session);
  }

  /** Asks it to release; it is gone when it has, or when what it was granted has run out. */
  function dismiss(session: Held): void {
    if (session.open && !session.leaving) session.connection.send({ type: "leaving" });
    session.leaving = true;
    if (grantLeftMs(session) > 0) awaitLapse(session);
    else end(session);
  }

  function tryGrant(session: Held): void {
    const { ask } = session;
    if (ask === null || !session.open || session.leaving || session.acked < applied) return;
    const ms = Math.min(lookup.leaseRemainingMs, allowanceMs.get(session.holder.id) ?? leaseMs);
    if (ms <= 0) return;
    session.ask = null;
    const lengthMs = ms * (1 + RATE_ALLOWANCE);
    if (lengthMs > grantLeftMs(session)) session.grant = { fromMs: ambient.monoMs(), lengthMs };
    session.connection.send({ type: "grant", ask, ms });
  }

  function acknowledge(session: Held, seq: number): void {
    if (seq <= session.acked || seq > applied) {
      end(session); // it does not follow the protocol
      return;
    }
    session.acked = seq;
    if (session.settled < seq) {
      curtail(session.holder.id, 2);
      settle(session, seq);
    }
    tryGrant(session);
  }

  async function look(session: Held, number: number, digests: readonly string[]): Promise<void> {
    if (session.underWay === UNDER_WAY_MAX) return end(session);
    session.underWay += 1;
    const found = await Promise.all(digests.map(lookUp)).catch(() => null);
    session.underWay -= 1;
    if (!session.open) return;
    if (found === null) session.connection.send({ type: "unavailable", look: number });
    else session.connection.send({ type: "found", look: number, loaded: found.map(asHeld) });
  }

  async function report(
    session: Held,
    { source, batch, hurry }: Extract<Upward, { type: "usage" }>,
  ): Promise<void> {
    if (session.underWay === UNDER_WAY_MAX) return end(session);
    session.underWay += 1;
    const stored = await options.report(source, batch, hurry).then(
      () => true,
      () => false, // it is sent again
    );
    session.underWay -= 1;
    if (stored && session.open) session.connection.send({ type: "stored", batch: batch.number });
  }

  async function lookUp(digest: string) {
    const held = lookup.find(digest);
    return { digest, held: held === undefined ? await lookup.load(digest) : held };
  }

  /** What is not held here, under a lease, as it is sent, may be kept nowhere below either. */
  function asHeld({ digest, held }: { digest: string; held: HeldKey | null }): Loaded {
    return { key: held === null ? null : held.key, cacheable: lookup.find(digest) === held };
  }

  return {
    open(connection, holder) {
      if (leaving) {
        connection.close();
        return { receive() {}, closed() {} };
      }
      const session: Held = {
        connection,
        holder,
        open: true,
        leaving: false,
        acked: applied,
        settled: applied,
        grant: null,
        ask: null,
        underWay: 0,
        heardMs: ambient.monoMs(),
        cancelLapse: null,
      };
      sessions.add(session);
      connection.send({ type: "welcome", leaseMs });
      return {
        receive(frame) {
          if (!session.open) return;
          session.heardMs = ambient.monoMs();
          switch (frame.type) {
            case "ask":
              session.ask = frame.ask;
              return tryGrant(session);
            case "ack":
              return acknowledge(session, frame.seq);
            case "look":
              return void look(session, frame.look, frame.digests);
            case "usage":
              return void report(session, frame);
            case "release":
              session.grant = null;
              return end(session);
          }
        },
        closed() {
          if (session.open) end(session);
        },
      };
    },
    apply(change) {
      for (const session of sessions)
        if (session.grant !== null && grantLeftMs(session) <= 0) lapse(session);
      applied = change.seq;
      let owe = 0;
      for (const session of sessions) {
        if (session.grant === null) session.settled = applied;
        else {
          owe += 1;
          awaitLapse(session);
        }
        if (session.open) session.connection.send({ type: "change", change });
      }
      owing.set(applied, owe);
      advance();
      if (change.kind === "key")
        for (const session of sessions)
          if (session.holder.digest === change.subject) dismiss(session);
    },
    get acknowledgedSeq() {
      return acknowledged;
    },
    restart(seq) {
      for (const session of sessions) {
        session.open = false;
        session.cancelLapse?.();
        session.connection.close();
      }
      sessions.clear();
      owing.clear();
      applied = seq;
      acknowledged = seq;
    },
    renewed() {
      for (const session of sessions) {
        if (!session.open) continue;
        if (ambient.monoMs() - session.heardMs > leaseMs) {
          end(session); // its connection is dead: a living one asks several times a lease
          continue;
        }
        tryGrant(session);
        if (grantLeftMs(session) < leaseMs * (1 - STALE_GRANT))
          session.connection.send({ type: "renewed" });
      }
    },
    async leave() {
      leaving = true;
      for (const session of sessions) dismiss(session);
      if (sessions.size > 0)
        await new Promise<void>((resolve) => {
          gone = resolve;
        });
    },
    get size() {
      return sessions.size;
    },
    curtailed: allowanceMs,
  };
}
