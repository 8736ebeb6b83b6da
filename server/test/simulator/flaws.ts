import { RATE_ALLOWANCE } from "@latchkey/sdk/core";
import type { Ambient } from "../../src/ambient.ts";
import type { LeaseStore, Store } from "../../src/store/store.ts";
import { assembleWith, type BarrierLeases, type Planted, planted } from "./assembly.ts";
import { joiningLookup, leakyLookup, wrapLookup } from "./flawed-lookup.ts";
import { revokeOutsideTheLock } from "./flawed-store.ts";
import { FLAWS_BELOW } from "./flaws-below.ts";
import type { Flaw } from "./world.ts";

/** The rules of the protocol, by what is done instead. Each must be caught. */
export const FLAWS: Readonly<Record<string, Flaw>> = {
  "a load that a change overtook is kept": planted(() => ({
    lookup: (lookup) => leakyLookup(lookup, []),
  })),
  "a change of an environment or account taints no load": planted(() => ({
    lookup: (lookup) => leakyLookup(lookup, ["key"]),
  })),
  "a tainted load is joined": planted(() => ({
    lookup: (lookup) => joiningLookup(lookup, "tainted"),
  })),
  "a load from before a lapse is joined": planted(() => ({
    lookup: (lookup) => joiningLookup(lookup, "across lapses"),
  })),
  "a change is acknowledged before it is applied": planted((ambient) => ({
    lookup: (lookup) =>
      wrapLookup(lookup, { apply: (change) => void ambient.after(30, () => lookup.apply(change)) }),
  })),
  "a lease is counted from the answer": planted(() => ({
    lookup: (lookup) =>
      wrapLookup(lookup, { grant: (_, lengthMs) => lookup.grant(lookup.clock.read(), lengthMs) }),
  })),
  "nobody allows for clocks of different rates": planted((ambient) => ({
    lookup: (lookup) =>
      wrapLookup(lookup, {
        grant: (fromMs, lengthMs) => lookup.grant(fromMs, lengthMs / (1 - RATE_ALLOWANCE)),
      }),
    barrierAmbient: () => ({
      ...ambient,
      monoMs: () => ambient.monoMs() * (1 + RATE_ALLOWANCE),
    }),
  })),
  "a holder does not notice that it slept": planted(() => ({
    clocks: ({ monoMs }) => ({ monoMs, wallMs: monoMs }),
  })),
  "a holder goes by a timer and not by its clocks": planted(cachedClocks),
  "the cache is kept across a rejoin": planted(() => ({
    lookup: (lookup) => wrapLookup(lookup, { forget: () => {} }),
  })),
  "the lease is kept after the row was released": planted(() => ({
    lookup: (lookup) => wrapLookup(lookup, { drop: () => {} }),
  })),
  "the cache survives a trimmed change log": planted(() => ({
    nodeLeases: (leases) => ({ ...leases, readChanges: readPastGaps(leases) }),
  })),
  "changes are read by the page": planted(() => ({
    nodeLeases: (leases) => ({ ...leases, readChanges: readPages(leases) }),
  })),
  "seqs are taken outside the row lock": {
    assemble: assembleWith(() => ({})),
    revokeStatement: revokeOutsideTheLock(),
  },
  "revoking again is answered at once": planted((_, store) => {
    answerAgainAtOnce(store);
    return {};
  }),
  "a barrier goes by the wall clock": planted(() => ({
    barrierAmbient: (ambient) => ({ ...ambient, monoMs: ambient.nowMs }),
  })),
  "a barrier counts from before the commit": planted(countFromBeforeTheCommit),
  "a barrier watches only rows known before the commit": planted(watchKnownRows),
  "a barrier waits for its own lease and not the longest": planted(() => ({
    barrierLeases: (leases) => ({ ...leases, readNodes: rowsOfOneLease(leases) }),
  })),
  "a revocation is recorded as effective before it is": planted(() => ({
    barrierLeases: (leases) => ({ ...leases, pendingRevocations: recordAtOnce(leases) }),
  })),
  "the reaper counts from before its reading": planted(reapFromBeforeTheReading),
  "a renewal is lost in a crash of the store": {
    assemble: assembleWith(() => ({})),
    renewalsLost: true,
  },
  ...FLAWS_BELOW,
};

/** Time as of the last of many timers, none of which fires while the process stands still. */
function cachedClocks(ambient: Ambient): Planted {
  const EVERY_MS = 20;
  const read = (): { monoMs: number; wallMs: number } => ({
    monoMs: ambient.monoMs(),
    wallMs: ambient.nowMs(),
  });
  let last = read();
  const refresh = (): void => {
    last = read();
    ambient.after(EVERY_MS, refresh);
  };
  refresh();
  return { clocks: () => ({ monoMs: () => last.monoMs, wallMs: () => last.wallMs }) };
}

function readPastGaps(leases: LeaseStore): LeaseStore["readChanges"] {
  return async (afterSeq, afterId) => {
    const read = await leases.readChanges(afterSeq, afterId);
    if (read.outcome === "changes") return read;
    const { seq } = read;
    return { outcome: "changes", seq, changes: [{ seq, id: "skipped", kind: "key", subject: "" }] };
  };
}

/** One new change at a time; the lease is taken although more wait. */
function readPages(leases: LeaseStore): LeaseStore["readChanges"] {
  return async (afterSeq, afterId) => {
    const read = await leases.readChanges(afterSeq, afterId);
    if (read.outcome === "gap") return read;
    const changes = read.changes.filter(({ seq }) => seq <= afterSeq + 1);
    return { outcome: "changes", seq: changes.at(-1)?.seq ?? afterSeq, changes };
  };
}

/** Answers as if every revocation that is there had taken effect. */
function answerAgainAtOnce(store: Store): void {
  const account = store.account;
  store.account = (id) => {
    const mine = account(id);
    const revokeKey: typeof mine.revokeKey = async (...call) => {
      const done = await mine.revokeKey(...call);
      if (done.outcome !== "already_revoked" || done.key.revocation === null) return done;
      const revocation = { ...done.key.revocation, effectiveAtMs: 1 };
      return { ...done, key: { ...done.key, revocation } };
    };
    return { ...mine, revokeKey };
  };
}

function countFromBeforeTheCommit(ambient: Ambient, store: Store): Planted {
  const account = store.account;
  const askedMs = new Map<number, number>();
  let firstReadingMs: number | null = null;
  store.account = (id) => {
    const mine = account(id);
    const revokeKey: typeof mine.revokeKey = async (...call) => {
      const fromMs = ambient.monoMs();
      const done = await mine.revokeKey(...call);
      if ("seq" in done) askedMs.set(done.seq, fromMs);
      return done;
    };
    return { ...mine, revokeKey };
  };
  return {
    barrierAmbient: () => ({
      ...ambient,
      monoMs() {
        const ms = firstReadingMs ?? ambient.monoMs();
        firstReadingMs = null;
        return ms;
      },
    }),
    barrier: (barrier) => ({
      ...barrier,
      complete(seq) {
        firstReadingMs = askedMs.get(seq) ?? null;
        return barrier.complete(seq);
      },
    }),
  };
}

/** The rows that the reaper last saw stand for those of the time after the commit. */
function watchKnownRows(): Planted {
  let known: ReadonlySet<string> | null = null;
  let watched: ReadonlySet<string> | null = null;
  return {
    reaperLeases: (leases) => ({
      ...leases,
      async readNodes() {
        const rows = await leases.readNodes();
        known = new Set(rows.nodes.map(({ id }) => id));
        return rows;
      },
    }),
    barrierLeases: (leases) => ({
      ...leases,
      async readNodes() {
        const rows = await leases.readNodes();
        return { ...rows, nodes: rows.nodes.filter(({ id }) => watched?.has(id) ?? true) };
      },
    }),
    barrier: (barrier) => ({
      ...barrier,
      complete(seq) {
        watched = known;
        return barrier.complete(seq);
      },
    }),
  };
}

function rowsOfOneLease(leases: Pick<LeaseStore, "readNodes">): LeaseStore["readNodes"] {
  return async () => {
    const { seq, nodes } = await leases.readNodes();
    const leaseMs = Math.min(...nodes.map((row) => row.leaseMs));
    return { seq, nodes: nodes.map((row) => ({ ...row, leaseMs })) };
  };
}

function recordAtOnce(leases: BarrierLeases): LeaseStore["pendingRevocations"] {
  return async () => {
    const pending = await leases.pendingRevocations();
    const receipt = { effectiveAtMs: 1, tookMs: 0, acknowledged: 0, lapsed: 0 };
    for (const { seq } of pending) leases.recordEffective(seq, receipt).catch(() => {});
    return [];
  };
}

function reapFromBeforeTheReading(ambient: Ambient): Planted {
  let askedMs = 0;
  return {
    reaperLeases: (leases) => ({
      ...leases,
      async readNodes() {
        const fromMs = ambient.monoMs();
        const rows = await leases.readNodes();
        askedMs = fromMs;
        return rows;
      },
    }),
    reaperAmbient: () => ({ ...ambient, monoMs: () => askedMs }),
  };
}
