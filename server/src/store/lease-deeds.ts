import type { Revocation } from "./api-key.ts";

/** One entry of the change log. Its subject is an id; a key's or a deleted access token's (`key` too) is the digest. */
export interface Change {
  readonly seq: number;
  /** Random: tells a restored database's entry from the one this node applied. */
  readonly id: string;
  readonly kind: "key" | "environment" | "account";
  readonly subject: string;
}

/** A server process that verifies; see docs/architecture.md. */
export interface NodeRow {
  readonly id: string;
  readonly leaseMs: number;
  readonly renewals: number;
  readonly appliedSeq: number;
  readonly below: number;
  readonly label: string;
}

/** A revocation whose barrier nobody has seen end. */
interface PendingRevocation {
  readonly seq: number;
}

/**
 * What the lease protocol asks of the store. Every method is one statement or transaction, and every `seq` it returns
 * was read in that same statement.
 */
export interface LeaseStore {
  /** Adds a node whose `applied_seq` is the current seq; also the id of the change at that seq, `null` for none. */
  joinNode(node: {
    id: string;
    leaseMs: number;
    label: string;
  }): Promise<{ seq: number; changeId: string | null }>;
  /**
   * All changes from `afterSeq` on, that one included, in order. `gap` when the entry at `afterSeq` is missing or is
   * not `afterId`: the log was trimmed past it or the database restored. With `afterId` null there was no such entry, in
   * a database that is new or whose clock was raised, and it is a gap when there is one now.
   */
  readChanges(
    afterSeq: number,
    afterId: string | null,
  ): Promise<
    | { outcome: "changes"; seq: number; changes: readonly Change[] }
    | { outcome: "gap"; seq: number }
  >;
  /** The current seq: whether there is anything to read. */
  readClock(): Promise<number>;
  /** `false`: the row is gone, the node must join anew. */
  renewNode(id: string, renewals: number, appliedSeq: number, below: number): Promise<boolean>;
  /**
   * Writes what a node has acknowledged, and renews nothing. A crash of the database may lose it again, which delays at
   * most. `false`: the row is gone.
   */
  acknowledge(id: string, appliedSeq: number, below: number): Promise<boolean>;
  readNodes(): Promise<{ seq: number; nodes: readonly NodeRow[] }>;
  /** Deletes the row only while its `renewals` is still the one seen. */
  reapNode(id: string, renewals: number): Promise<boolean>;
  releaseNode(id: string): Promise<void>;
  /** Oldest first, at most 100. */
  pendingRevocations(): Promise<readonly PendingRevocation[]>;
  /** Written once: of several calls the first stands. `effectiveAtMs` is raised to the revocation's own time. */
  recordEffective(
    seq: number,
    receipt: { effectiveAtMs: number; tookMs: number; acknowledged: number; lapsed: number },
  ): Promise<Revocation>;
  /**
   * Drops changes, the newest `keep` (at least one) excepted, oldest first. Of very many only the first are dropped by
   * one call.
   *
   * @returns How many it dropped.
   */
  trimChanges(keep: number): Promise<number>;
}
