import { type Expression, type OperationNodeSource, type RawBuilder, sql } from "kysely";
import type { auditRow } from "./audit.ts";
import type { Database } from "./engine.ts";
import { clockSeq } from "./leases.ts";
import type { Change } from "./store.ts";

/** The channel on which every change is announced; the payload is its seq. */
export const CHANGE_CHANNEL = "latchkey_change";

/** Builds the update that marks one row revoked by the change `seq`, and returns its id. */
export type Mark = (seq: number | Expression<number>) => OperationNodeSource & {
  execute(): Promise<readonly { readonly id: string }[]>;
};

/**
 * True where the guard of {@link writeTogether} found its row. A mark beside a guard needs it: the statement still sees
 * the row as it was before the guard waited for it, and would hold that to the table's constraints.
 */
export const IF_CLOCKED = sql<boolean>`exists (select from clock)`;

/** A value of {@link Together} that is taken from the row which its guard found. */
export const ofHeld = (value: RawBuilder<string>): RawBuilder<string> =>
  sql`(select ${value} from held)`;

type AuditRow = ReturnType<typeof auditRow>;

/** A change and what is written with it. */
export interface Together {
  /** Finds, and locks, the one row that must be there for anything to be written. */
  readonly guard?: OperationNodeSource;
  readonly audit?: { readonly [Column in keyof AuditRow]: AuditRow[Column] | RawBuilder<string> };
  readonly change: Pick<Change, "id" | "kind"> & { readonly subject: string | RawBuilder<string> };
  readonly revocation?: { readonly subjectId: string; readonly revokedAtMs: number };
  /** With a guard, under {@link IF_CLOCKED} as well. */
  readonly mark?: Mark;
}

/**
 * Writes a change with all that belongs to it, and announces it, by one statement of Postgres: outside a transaction
 * the clock is locked for no round trip at all, inside one until the commit that follows.
 *
 * @returns The seq, with what the guard selected; `null` when the guard found nothing and nothing was written.
 */
export async function writeTogether(
  db: Database,
  { guard, audit, change, revocation, mark }: Together,
): Promise<{ seq: number; held: Readonly<Record<string, unknown>> } | null> {
  const seq = sql<number>`(select seq from clock)`;
  const parts: RawBuilder<unknown>[] = [
    // The guard's row first, the clock after it: whoever waits for a row does not hold the clock.
    guard === undefined
      ? sql`clock as (update change_clock set seq = seq + 1 returning seq)`
      : sql`held as (${guard}), clock as (
          update change_clock set seq = seq + 1 where exists (select from held) returning seq)`,
    sql`change_made as (insert into change (seq, id, kind, subject)
      select seq, ${change.id}, ${change.kind}, ${change.subject} from clock)`,
  ];
  if (audit !== undefined) parts.push(sql`audited as (${insertIfClocked("audit_event", audit)})`);
  if (revocation !== undefined)
    parts.push(sql`revocation_made as (insert into revocation (seq, kind, subject_id, revoked_at)
      select seq, ${change.kind}, ${revocation.subjectId}, ${revocation.revokedAtMs}::bigint from clock)`);
  if (mark !== undefined) parts.push(sql`marked as (${mark(seq)})`);
  // A revocation that would mark nothing fails here, by its division, and nothing of it stays.
  const marked = mark === undefined ? sql`1` : sql`1 / (select count(*) from marked)`;
  const held = guard === undefined ? sql`` : sql`, held.*`;
  const { rows } = await sql<{ clock_seq: unknown }>`with ${sql.join(parts)}
    select seq as clock_seq, ${marked} as marked, pg_notify(${sql.lit(CHANGE_CHANNEL)}, seq::text)${held}
    from clock${guard === undefined ? sql`` : sql`, held`}`.execute(db);
  return rows[0] === undefined ? null : { seq: clockSeq(rows[0]), held: rows[0] };
}

/**
 * Resolves when a revocation that was read as committed is so wherever it must be: one whose wait for a standby was
 * broken off is visible before it is safe. A commit that writes waits for all that was written before it.
 */
export async function confirmRevocation(db: Database, seq: number): Promise<void> {
  await db
    .updateTable("revocation")
    .set((eb) => ({ acknowledged: eb.ref("acknowledged") }))
    .where("seq", "=", seq)
    .where("effective_at", "is", null)
    .execute();
}

/** Inserts one row when the clock was advanced. Its columns take their types from the table. */
function insertIfClocked(
  table: string,
  row: Readonly<Record<string, string | number | null | RawBuilder<string>>>,
): RawBuilder<unknown> {
  const columns = Object.keys(row).map((column) => sql.ref(column));
  return sql`insert into ${sql.table(table)} (${sql.join(columns)})
    select ${sql.join(Object.values(row))} from clock`;
}
