import type {
  Account,
  AccountStore,
  ApiKey,
  LeaseStore,
  Revocation,
  Store,
} from "../../src/store/store.ts";
import type { Counts } from "./history.ts";
import type { StoreClient } from "./link.ts";
import type { Machine } from "./machine.ts";
import type { MemoryStore, Subject } from "./memory-store.ts";

/** How a revocation is written; a planted flaw replaces it. */
export type RevokeStatement = (
  subject: Subject,
  by: string,
) => Promise<{ first: boolean; revocation: Revocation }>;

export interface AccessOptions {
  readonly client: StoreClient;
  readonly memory: MemoryStore;
  readonly machine: Machine;
  readonly counts: Counts;
  readonly leaseMs: number;
  readonly revoke?: RevokeStatement;
}

/** Nobody in the simulator is anybody. */
export const SYSTEM = { type: "system", id: "simulator", name: "simulator" } as const;

/**
 * The store as one life of a process sees it: what `createVerification` and the deeds of revocation ask of it, each a
 * statement over the link. Nothing else is there.
 */
export function createStoreAccess(options: AccessOptions): Store {
  const { client, memory } = options;
  const watch = watchLoads(options);
  const revoke: RevokeStatement =
    options.revoke ??
    ((subject, by) =>
      client.call(`revoke ${subject.kind} ${subject.id}`, () => memory.revoke(subject, by)));
  const by = options.machine.name;

  const account = (accountId: string): AccountStore =>
    part<AccountStore>({
      accountId,
      async revokeKey(id) {
        const { first, revocation } = await revoke({ kind: "key", id }, by);
        const outcome = first ? "revoked" : "already_revoked";
        return { outcome, seq: revocation.seq, key: apiKey(id, revocation) };
      },
      async deleteEnvironment(id) {
        const { first, revocation } = await revoke({ kind: "environment", id }, by);
        const { seq, effectiveAtMs } = revocation;
        if (first) return { outcome: "deleted", seq };
        return { outcome: "absent", pendingSeq: effectiveAtMs === null ? seq : null };
      },
    });

  return part<Store>({
    account,
    leases: watch.leases(leasesOver(client, memory, by)),
    loadKeys: (digests) =>
      watch.load(digests, () => client.load("loadKeys", () => memory.loadKeys(digests))),
    recordUsage: () => client.call("recordUsage", () => undefined),
    startOverlaps: async () => [],
    ping: () => client.call("ping", () => ({ seq: memory.seq })),
    async updateAccount(id) {
      const { revocation } = await revoke({ kind: "account", id }, by);
      return { outcome: "updated", seq: revocation.seq, account: suspended(id, revocation) };
    },
  });
}

function leasesOver(client: StoreClient, memory: MemoryStore, by: string): LeaseStore {
  return {
    joinNode: (node) => client.call(`joinNode ${node.id}`, () => memory.joinNode(node)),
    readChanges: (afterSeq, afterId) =>
      client.call(`readChanges ${afterSeq}`, () => memory.readChanges(afterSeq, afterId)),
    readClock: () => client.call("readClock", () => memory.seq),
    renewNode: (id, renewals, appliedSeq, below) =>
      client.call(`renewNode ${id} ${renewals} ${appliedSeq}`, () =>
        memory.renewNode(id, renewals, appliedSeq, below),
      ),
    acknowledge: (id, appliedSeq, below) =>
      client.call(`acknowledge ${id} ${appliedSeq}`, () =>
        memory.acknowledge(id, appliedSeq, below),
      ),
    readNodes: () => client.call("readNodes", () => memory.readNodes()),
    reapNode: (id, renewals) =>
      client.call(`reapNode ${id} ${renewals}`, () => memory.reapNode(id, renewals)),
    releaseNode: (id) => client.call(`releaseNode ${id}`, () => memory.releaseNode(id)),
    pendingRevocations: () => client.call("pendingRevocations", () => memory.pendingRevocations()),
    recordEffective: (seq, receipt) =>
      client.call(`recordEffective ${seq}`, () => memory.recordEffective(seq, receipt, by)),
    trimChanges: (keep) => client.call(`trimChanges ${keep}`, () => memory.trimChanges(keep)),
  };
}

/** Counts, from the questions and answers alone, how often the situations occurred that taints are for. */
function watchLoads({ machine, counts, leaseMs }: AccessOptions) {
  const inFlight = new Set<{ readonly digests: readonly string[]; readonly sinceMs: number }>();
  let joins = 0;
  let askedMs = 0;
  let leaseEndMs: number | null = null;

  function leased(fromMs: number): void {
    if (leaseEndMs !== null && machine.monoMs() >= leaseEndMs) {
      counts.lapses += 1;
      for (const { sinceMs } of inFlight) if (sinceMs < leaseEndMs) counts.loadsAcrossLapses += 1;
    }
    leaseEndMs = fromMs + leaseMs;
  }

  return {
    async load<T>(digests: readonly string[], send: () => Promise<T>): Promise<T> {
      const load = { digests, sinceMs: machine.monoMs() };
      inFlight.add(load);
      try {
        return await send();
      } finally {
        inFlight.delete(load);
      }
    },
    leases: (leases: LeaseStore): LeaseStore => ({
      ...leases,
      async joinNode(node) {
        const fromMs = machine.monoMs();
        const joined = await leases.joinNode(node);
        if (joins++ > 0) counts.rejoins += 1;
        leased(fromMs);
        return joined;
      },
      async readChanges(afterSeq, afterId) {
        askedMs = machine.monoMs();
        const read = await leases.readChanges(afterSeq, afterId);
        if (read.outcome === "gap") counts.gaps += 1;
        else
          for (const { seq, kind, subject } of read.changes)
            for (const { digests } of inFlight)
              if (seq > afterSeq && (kind !== "key" || digests.includes(subject)))
                counts.taintedLoads += 1;
        return read;
      },
      async renewNode(...row) {
        const fromMs = askedMs;
        const held = await leases.renewNode(...row);
        if (held) leased(fromMs);
        return held;
      },
      async reapNode(...row) {
        const reaped = await leases.reapNode(...row);
        if (reaped) counts.reaps += 1;
        return reaped;
      },
    }),
  };
}

/** Stands in for the whole of an interface of which only `methods` are called: any other call fails loudly. */
function part<Whole extends object>(methods: Partial<Whole>): Whole {
  return methods as Whole;
}

function apiKey(id: string, revocation: Revocation): ApiKey {
  return {
    id,
    environment: { id: "", slug: "" },
    type: "secret",
    description: "",
    metadata: {},
    hint: "",
    token: null,
    createdAtMs: 0,
    createdBy: SYSTEM,
    expiresAtMs: null,
    lastUsedAtMs: null,
    revokedAtMs: 1,
    revokedBy: SYSTEM,
    revokedReason: null,
    revocation,
    rotatedFrom: null,
    rotatedTo: null,
    overlap: null,
  };
}

function suspended(id: string, revocation: Revocation): Account {
  return {
    id,
    slug: id,
    name: id,
    externalId: null,
    createdAtMs: 0,
    suspendedAtMs: 1,
    revocation,
  };
}
