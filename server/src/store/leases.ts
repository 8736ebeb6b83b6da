import { BATCH_ROWS, inBatches } from "./batches.ts";
import type { Database, Engine, Lanes } from "./engine.ts";
import { rowOf } from "./row.ts";
import { parseChange, parseNode, parseRevocation, REVOCATION_COLUMNS } from "./rows.ts";
import type { LeaseStore, Revocation } from "./store.ts";

/** Revocations that one scan reads: what is left waits for the next. */
const PENDING_MAX = 100;

/** What the lease protocol asks of the store; docs/architecture.md tells what for. */
export function leaseStore({ renewals, revocations: db }: Lanes, engine: Engine): LeaseStore {
  return {
    async joinNode(node) {
      const joined = await joinNode(renewals, node);
      engine.joinedAt(joined.seq);
      return joined;
    },
    readChanges: (afterSeq, afterId) => readChanges(renewals, afterSeq, afterId),
    async readClock() {
      return clockSeq(
        await renewals.selectFrom("change_clock").select("seq as clock_seq").executeTakeFirst(),
      );
    },
    readNodes: () => readNodes(db),
    recordEffective: (seq, receipt) => recordEffective(db, seq, receipt),

    async renewNode(id, count, appliedSeq, below) {
      const renewed = await renewals
        .updateTable("node")
        .set({ renewals: count, applied_seq: appliedSeq, below })
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return renewed.numUpdatedRows === 1n;
    },

    async acknowledge(id, appliedSeq, below) {
      const written = await renewals
        .updateTable("node")
        .set({ applied_seq: appliedSeq, below })
        .where("id", "=", id)
        .where(engine.unsynced)
        .executeTakeFirstOrThrow();
      return written.numUpdatedRows === 1n;
    },

    async reapNode(id, seen) {
      let remove = db.deleteFrom("node").where("id", "=", id).where("renewals", "=", seen);
      // A row that is locked is being renewed, or reaped by another: either way there is nothing to wait for.
      if (engine.locksRows)
        remove = remove.where("id", "in", (eb) =>
          eb.selectFrom("node").select("id").where("id", "=", id).forUpdate().skipLocked(),
        );
      const reaped = await remove.executeTakeFirstOrThrow();
      return reaped.numDeletedRows === 1n;
    },

    async releaseNode(id) {
      await db.deleteFrom("node").where("id", "=", id).execute();
    },

    async pendingRevocations() {
      const rows = await db
        .selectFrom("revocation")
        .select("seq")
        .where("effective_at", "is", null)
        .orderBy("seq")
        .limit(PENDING_MAX)
        .execute();
      return rows.map((row) => ({ seq: rowOf("revocation", row, "seq").integer("seq") }));
    },

    trimChanges: (keep) => inBatches(() => trimBatch(db, keep)),
  };
}

/** Seqs have no gaps, so that a batch is a range of them; in it nodes that trim at once meet in one order. */
function trimBatch(db: Database, keep: number): Promise<{ numDeletedRows: bigint }> {
  return (
    db
      .deleteFrom("change")
      // The newest one always stays: nodes recognise the log by the last entry they applied.
      .where("seq", "<=", (eb) =>
        eb
          .selectFrom("change_clock")
          .select((clock) => clock("change_clock.seq", "-", Math.max(1, keep)).as("limit")),
      )
      .where("seq", "<", (eb) =>
        eb
          .selectFrom("change as kept")
          .select((first) => first(first.fn.min("kept.seq"), "+", BATCH_ROWS).as("limit")),
      )
      .executeTakeFirstOrThrow()
  );
}

/** One statement: between two the change at the seq could be trimmed, and the node would take its first read for a gap. */
async function joinNode(
  db: Database,
  node: { id: string; leaseMs: number; label: string },
): Promise<{ seq: number; changeId: string | null }> {
  const joined = await db
    .insertInto("node")
    .values((eb) => ({
      id: node.id,
      lease_ms: node.leaseMs,
      renewals: 0,
      applied_seq: eb.selectFrom("change_clock").select("change_clock.seq"),
      below: 0,
      label: node.label,
    }))
    .returning((eb) => [
      "id",
      "applied_seq",
      eb
        .selectFrom("change")
        .select("change.id")
        .whereRef("change.seq", "=", "node.applied_seq")
        .as("change_id"),
    ])
    .executeTakeFirstOrThrow();
  const row = rowOf("node", joined);
  return { seq: row.integer("applied_seq"), changeId: row.textOrNull("change_id") };
}

/** One statement and no pages: between two pages the log could be trimmed or a change of the first be missed. */
async function readChanges(
  db: Database,
  afterSeq: number,
  afterId: string | null,
): ReturnType<LeaseStore["readChanges"]> {
  const rows = await db
    .selectFrom("change_clock")
    .leftJoin("change", (join) => join.on("change.seq", ">=", afterSeq))
    .select([
      "change_clock.seq as clock_seq",
      "change.seq",
      "change.id",
      "change.kind",
      "change.subject",
    ])
    .orderBy("change.seq")
    .execute();
  const seq = clockSeq(rows[0]);
  const changes = rows.filter((row) => row.seq !== null).map(parseChange);
  const first = changes[0];
  const connects =
    afterId === null
      ? (first === undefined || first.seq === afterSeq + 1) && seq === afterSeq + changes.length
      : first?.seq === afterSeq && first.id === afterId && seq === afterSeq + changes.length - 1;
  return connects ? { outcome: "changes", seq, changes } : { outcome: "gap", seq };
}

async function readNodes(db: Database): ReturnType<LeaseStore["readNodes"]> {
  const rows = await db
    .selectFrom("change_clock")
    .leftJoin("node", (join) => join.onTrue())
    .select([
      "change_clock.seq as clock_seq",
      "node.id",
      "node.lease_ms",
      "node.renewals",
      "node.applied_seq",
      "node.below",
      "node.label",
    ])
    .execute();
  return {
    seq: clockSeq(rows[0]),
    nodes: rows.filter((row) => row.id !== null).map(parseNode),
  };
}

/** The `clock_seq` of a statement that reads the clock beside other rows, and so returns at least one. */
export function clockSeq(row: { readonly clock_seq: unknown } | undefined): number {
  return rowOf("change_clock", row ?? {}).integer("clock_seq");
}

async function recordEffective(
  db: Database,
  seq: number,
  receipt: Parameters<LeaseStore["recordEffective"]>[1],
): Promise<Revocation> {
  const { effectiveAtMs } = receipt;
  await db
    .updateTable("revocation")
    .set((eb) => ({
      // A wall clock that was stepped back between the two must not show an effect before its cause.
      effective_at: eb
        .case()
        .when("revoked_at", ">", effectiveAtMs)
        .then(eb.ref("revoked_at"))
        .else(effectiveAtMs)
        .end(),
      took_ms: Math.round(receipt.tookMs),
      acknowledged: receipt.acknowledged,
      lapsed: receipt.lapsed,
    }))
    .where("seq", "=", seq)
    .where("effective_at", "is", null)
    .execute();
  const row = await db
    .selectFrom("revocation")
    .select(REVOCATION_COLUMNS)
    .where("seq", "=", seq)
    .executeTakeFirst();
  const revocation =
    row === undefined ? null : parseRevocation(rowOf("revocation", row, "revocation_seq"));
  if (revocation === null) throw new Error(`no revocation has the seq ${seq}`);
  return revocation;
}
