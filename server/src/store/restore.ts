import type { Selectable } from "kysely";
import { type AuditAction, recordAudit } from "./audit.ts";
import { idAsOf } from "./audit-ids.ts";
import type { Database } from "./engine.ts";
import { DEEDS, type Found, NOBODY } from "./restore-deeds.ts";
import type { RestoreDeed, RestoreRecord } from "./restore-record.ts";
import type { NodeTable } from "./schema.ts";

/**
 * How far the change clock is raised above all that is known of it. The life that is lost may have gone further, and its
 * seqs must not come again: an export goes on from the last one it has. A billion changes are a thousand a second for
 * eleven days, and the clock has room for millions of restores.
 */
const CLOCK_RAISE = 1_000_000_000;

/** The longest lease that there is (LATCHKEY_LEASE_SECONDS): what may still be believed when nothing else is known. */
export const LONGEST_LEASE_MS = 60_000;

/** How the id of a row begins that stands for what is not known, and that no node renews. */
export const STAND_IN = "lapsing";

/** Ids that a summary names, of those that the restored database does not know; the others are only counted. */
const UNKNOWN_NAMED = 20;

/** What a restored database is to live on with. */
export interface RevivalOptions {
  /** The highest seq known of the life that ended: of its database, or of what was exported from it. */
  readonly seqBefore: number;
  /**
   * Leases that the life that ended may have left behind, as its database shows them; `null` when that cannot be read.
   * They are kept as rows of dead nodes, which revocations wait for until they have certainly lapsed.
   */
  readonly leases: readonly Pick<Selectable<NodeTable>, "id" | "lease_ms" | "below">[] | null;
  /** What was taken away, from whatever still tells. */
  readonly records: AsyncIterable<RestoreRecord>;
  readonly sortableId: (prefix: string) => string;
}

/** What a restore came to. */
export interface Revival {
  /** Of the clock from now on. */
  readonly seq: number;
  /** Deeds that were done again, by kind. */
  readonly applied: Readonly<Record<RestoreDeed, number>>;
  /** Deeds that the backup knew of already. */
  readonly known: number;
  /** Deeds to what the backup does not have, such as keys that were made after it, and the ids of the first of them. */
  readonly unknown: number;
  readonly unknownIds: readonly string[];
  /** Accounts that are suspended by it, by slug: should that have been lifted meanwhile, nothing tells. */
  readonly suspended: readonly string[];
  /** Sign-ins that ended. */
  readonly sessions: number;
  /** How long the first revocation may have to wait for leases of before, at most. */
  readonly waitMs: number;
}

/**
 * Makes a database of an earlier time fit to be served, in one transaction: what was taken away since then is taken away
 * again, with its own time, actor and reason, and nobody takes its log of changes for the one that they know.
 *
 * No change is written for it. Whoever verifies from now on begins with nothing held: nodes join anew, and apps below
 * them start a new session.
 */
export function revive(db: Database, options: RevivalOptions): Promise<Revival> {
  return db.transaction().execute(async (trx) => {
    const { seq: own } = await trx
      .selectFrom("change_clock")
      .select("seq")
      .executeTakeFirstOrThrow();
    let seq = Math.max(own, options.seqBefore) + CLOCK_RAISE;
    const outcomes = { known: 0, unknown: 0 };
    const unknownIds: string[] = [];
    const suspended: string[] = [];
    const applied = {
      "api_key.revoked": 0,
      "api_key.expires": 0,
      "access_token.deleted": 0,
      "environment.deleted": 0,
      "account.key_max_age": 0,
      "account.suspended": 0,
      "account.deleted": 0,
    };
    for await (const record of options.records) {
      const found = await DEEDS[record.deed](trx, record);
      if (typeof found === "string") {
        outcomes[found] += 1;
        if (found === "unknown" && unknownIds.length < UNKNOWN_NAMED) unknownIds.push(record.id);
        continue;
      }
      seq += 1;
      await repeat(trx, record, found, {
        seq,
        eventId: idAsOf(options.sortableId("evt"), record.atMs),
      });
      applied[record.deed] += 1;
      if (record.deed === "account.suspended") suspended.push(found.name);
    }
    const waitMs = await keepLeases(trx, options);
    await trx.deleteFrom("change").execute();
    await trx.updateTable("change_clock").set({ seq }).execute();
    // Whoever signed out since then, or whose sign-in was ended, is signed out; a link may have been used or withdrawn.
    const { numDeletedRows } = await trx.deleteFrom("session").executeTakeFirstOrThrow();
    for (const table of ["invitation", "sign_in_link", "verification"] as const)
      await trx.deleteFrom(table).execute();
    const sessions = Number(numDeletedRows);
    return { seq, applied, ...outcomes, unknownIds, suspended, sessions, waitMs };
  });
}

/**
 * What was exported, as far as it may be believed: by what leases were granted since then, and whether somebody served an
 * earlier time of the database, it does not tell. So unless none is left, each of its deeds is seen through once more.
 */
export async function* unseen(
  exported: AsyncIterable<RestoreRecord>,
  leases: RevivalOptions["leases"],
): AsyncGenerator<RestoreRecord, void, undefined> {
  if (leases?.length === 0) yield* exported;
  else for await (const record of exported) yield { ...record, effective: null };
}

/** Nothing that was taken away. */
export async function* none(): AsyncGenerator<RestoreRecord, void, undefined> {}

/** The audit log's names for them. */
const ACTIONS: Readonly<Record<RestoreDeed, AuditAction>> = {
  "api_key.revoked": "api_key.revoked",
  "api_key.expires": "api_key.edited",
  "access_token.deleted": "access_token.deleted",
  "environment.deleted": "environment.deleted",
  "account.key_max_age": "account.updated",
  "account.suspended": "account.suspended",
  "account.deleted": "account.deleted",
};

/** What is not known to have been so everywhere is left to the barrier of the next node, which waits for {@link keepLeases}. */
async function repeat(
  trx: Database,
  record: RestoreRecord,
  found: Found,
  { seq, eventId }: { seq: number; eventId: string },
): Promise<void> {
  const { effective } = record;
  await trx
    .insertInto("revocation")
    .values({
      seq,
      kind: found.kind,
      subject_id: record.id,
      revoked_at: record.atMs,
      effective_at: effective?.atMs ?? null,
      took_ms: effective?.tookMs ?? null,
      acknowledged: effective?.acknowledged ?? 0,
      lapsed: effective?.lapsed ?? 0,
    })
    .execute();
  await found.mark?.(seq).execute();
  await recordAudit(
    trx,
    {
      action: ACTIONS[record.deed],
      accountId: found.accountId,
      environmentId: found.environmentId,
      subject: { type: found.subject, id: record.id },
      details: {
        restored: true,
        reason: record.reason,
        expires_at: record.expiresAtMs,
        api_key_max_age_days: record.maxAgeDays,
      },
    },
    {
      actor: record.actor ?? NOBODY,
      atMs: record.atMs,
      eventId,
      requestId: null,
      address: null,
      userAgent: null,
    },
  );
}

/**
 * Leaves the rows of the life that ended, as those of nodes that died: whatever was granted under them may still be
 * believed, and a revocation waits for it until they are reaped. The rows of the backup are of an earlier time and say
 * nothing of it; where no later ones can be read, one stands for any that there may have been.
 *
 * @returns The longest of these leases.
 */
async function keepLeases(trx: Database, { leases, sortableId }: RevivalOptions): Promise<number> {
  await trx.deleteFrom("node").execute();
  const unknown = { id: sortableId(STAND_IN), lease_ms: LONGEST_LEASE_MS, below: 0 };
  const kept = leases ?? [unknown];
  for (const { id, lease_ms, below } of kept)
    await trx
      .insertInto("node")
      .values({ id, lease_ms, below, renewals: 0, applied_seq: 0, label: "before the restore" })
      .execute();
  return Math.max(0, ...kept.map(({ lease_ms }) => lease_ms));
}
