import type { KeyRecord } from "@latchkey/sdk/core";
import type { Change, LeaseStore, NewKey, NodeRow, Revocation } from "../../src/store/store.ts";

type Answer<Method extends keyof LeaseStore> = Awaited<ReturnType<LeaseStore[Method]>>;

/** What a revocation takes away from verifiers. */
export interface Subject {
  readonly kind: Change["kind"];
  /** Of the key, environment or account. */
  readonly id: string;
}

interface StoredKey {
  readonly id: string;
  readonly digest: string;
  readonly environmentId: string;
  readonly accountId: string;
}

/** What the world wants to know of the store besides its answers. */
export interface StoreEvents {
  /** A change was written. */
  changed(seq: number): void;
  /** A revocation was recorded as effective: from now on nobody may accept its subject. */
  effective(subject: Subject, recordedBy: string, revokedBy: string): void;
  /** A node's row was written: its next lease is as good as granted. */
  renewed(by: string): void;
  /** A row was deleted as a dead node's. */
  reaped(name: string): void;
}

/**
 * The database: one copy, each deed at one instant, nothing lost but what need not be durable. It answers as store/leases.ts does; the suite of
 * the real stores says what that is.
 */
export interface MemoryStore {
  joinNode(node: { id: string; leaseMs: number; label: string }): Answer<"joinNode">;
  readChanges(afterSeq: number, afterId: string | null): Answer<"readChanges">;
  renewNode(id: string, renewals: number, appliedSeq: number, below: number): boolean;
  acknowledge(id: string, appliedSeq: number, below: number): boolean;
  /** What nodes have acknowledged since they last renewed was not on the disk. */
  crash(): void;
  readNodes(): Answer<"readNodes">;
  reapNode(id: string, renewals: number): boolean;
  releaseNode(id: string): void;
  pendingRevocations(): Answer<"pendingRevocations">;
  recordEffective(
    seq: number,
    receipt: Parameters<LeaseStore["recordEffective"]>[1],
    by: string,
  ): Answer<"recordEffective">;
  trimChanges(keep: number): number;
  loadKeys(digests: readonly string[]): { seq: number; keys: readonly (KeyRecord | null)[] };
  createKey(key: NewKey, environmentId: string, accountId: string): boolean;
  /** Of several the first stands: `first` tells whether it was this one. */
  revoke(subject: Subject, by: string): { first: boolean; revocation: Revocation };
  /** A change that revokes nothing, as an edit of a key's metadata writes. */
  touch(subject: Subject): number;
  readonly seq: number;
  /** A seq taken before its change is written: how a store without a row lock would number changes. */
  takeSeq(): number;
  writeRevocation(subject: Subject, seq: number, by: string): Revocation;
  revocationOf(subject: Subject): Revocation | undefined;
}

/** @param renewalsLost Whether a crash loses a node's last renewal as well, which no store may. */
export function createMemoryStore(events: StoreEvents, renewalsLost = false): MemoryStore {
  const nodes = new Map<string, NodeRow>();
  const nodesOnDisk = new Map<string, NodeRow>();
  const keys = new Map<string, StoredKey>();
  const keysById = new Map<string, StoredKey>();
  const revocations = new Map<number, { subject: Subject; by: string; revocation: Revocation }>();
  const revoked = new Map<string, number>();
  let changes: Change[] = [];
  let seq = 0;
  let ids = 0;

  const nameOf = ({ kind, id }: Subject): string => `${kind} ${id}`;
  const seqOf = (subject: Subject): number | undefined => revoked.get(nameOf(subject));
  const isRevoked = (kind: Change["kind"], id: string): boolean =>
    revoked.has(nameOf({ kind, id }));

  function writeChange(at: number, { kind, id }: Subject): void {
    const subject = kind === "key" ? (keysById.get(id)?.digest ?? "") : id;
    changes.push({ seq: at, id: `chg_${ids++}`, kind, subject });
    changes.sort((a, b) => a.seq - b.seq);
    events.changed(at);
  }

  function writeRevocation(subject: Subject, at: number, by: string): Revocation {
    const revocation = { seq: at, effectiveAtMs: null, tookMs: null, acknowledged: 0, lapsed: 0 };
    revoked.set(nameOf(subject), at);
    revocations.set(at, { subject, by, revocation });
    writeChange(at, subject);
    return revocation;
  }

  function revocationOf(subject: Subject): Revocation | undefined {
    const at = seqOf(subject);
    return at === undefined ? undefined : revocations.get(at)?.revocation;
  }

  function recordOf(digest: string): KeyRecord | null {
    const key = keys.get(digest);
    if (key === undefined) return null;
    const dead =
      isRevoked("key", key.id) ||
      isRevoked("environment", key.environmentId) ||
      isRevoked("account", key.accountId);
    return {
      id: key.id,
      type: "secret",
      metadata: {},
      account: { id: key.accountId, slug: key.accountId, externalId: null },
      environment: { id: key.environmentId, slug: key.environmentId },
      revokedAtMs: dead ? 1 : null,
      expiresAtMs: null,
    };
  }

  function writeNode(row: NodeRow): void {
    nodes.set(row.id, row);
    nodesOnDisk.set(row.id, row);
  }

  return {
    joinNode({ id, leaseMs, label }) {
      if (nodes.has(id)) throw new Error(`a node has the id ${id} already`);
      writeNode({ id, leaseMs, renewals: 0, appliedSeq: seq, below: 0, label });
      return { seq, changeId: changes.find((change) => change.seq === seq)?.id ?? null };
    },
    readChanges(afterSeq, afterId) {
      const since = changes.filter((change) => change.seq >= afterSeq);
      const first = since[0];
      const connects =
        afterId === null
          ? (first === undefined || first.seq === afterSeq + 1) && seq === afterSeq + since.length
          : first?.seq === afterSeq && first.id === afterId && seq === afterSeq + since.length - 1;
      return connects ? { outcome: "changes", seq, changes: since } : { outcome: "gap", seq };
    },
    renewNode(id, renewals, appliedSeq, below) {
      const row = nodes.get(id);
      if (row !== undefined) {
        writeNode({ ...row, renewals, appliedSeq, below });
        if (renewalsLost) nodesOnDisk.set(id, row);
        events.renewed(row.label);
      }
      return row !== undefined;
    },
    acknowledge(id, appliedSeq, below) {
      const row = nodes.get(id);
      if (row !== undefined) nodes.set(id, { ...row, appliedSeq, below });
      return row !== undefined;
    },
    crash() {
      for (const id of nodes.keys()) {
        const row = nodesOnDisk.get(id);
        if (row !== undefined) nodes.set(id, row);
      }
    },
    readNodes: () => ({ seq, nodes: [...nodes.values()] }),
    reapNode(id, renewals) {
      const row = nodes.get(id);
      if (row?.renewals !== renewals) return false;
      events.reaped(row.label);
      return nodes.delete(id);
    },
    releaseNode(id) {
      nodes.delete(id);
    },
    pendingRevocations() {
      const pending = [...revocations.values()].filter(
        ({ revocation }) => revocation.effectiveAtMs === null,
      );
      return pending.slice(0, 100).map(({ revocation }) => ({ seq: revocation.seq }));
    },
    recordEffective(at, receipt, by) {
      const entry = revocations.get(at);
      if (entry === undefined) throw new Error(`no revocation has the seq ${at}`);
      if (entry.revocation.effectiveAtMs === null) {
        entry.revocation = { ...entry.revocation, ...receipt };
        events.effective(entry.subject, by, entry.by);
      }
      return entry.revocation;
    },
    trimChanges(keep) {
      const before = changes.length;
      changes = changes.filter((change) => change.seq > seq - Math.max(1, keep));
      return before - changes.length;
    },
    loadKeys: (digests) => ({ seq, keys: digests.map(recordOf) }),
    createKey(key, environmentId, accountId) {
      if (isRevoked("environment", environmentId) || isRevoked("account", accountId)) return false;
      const stored = { id: key.id, digest: key.digest, environmentId, accountId };
      keys.set(key.digest, stored);
      keysById.set(key.id, stored);
      return true;
    },
    revoke(subject, by) {
      const known = revocationOf(subject);
      if (known !== undefined) return { first: false, revocation: known };
      return { first: true, revocation: writeRevocation(subject, ++seq, by) };
    },
    touch(subject) {
      writeChange(++seq, subject);
      return seq;
    },
    get seq() {
      return seq;
    },
    takeSeq: () => ++seq,
    writeRevocation,
    revocationOf,
  };
}
