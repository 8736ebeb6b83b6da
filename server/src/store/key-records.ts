import { createSharing, type KeyRecord, type Sharing } from "@latchkey/sdk/core";
import type { CompiledQuery } from "kysely";
import { type Database, digestBytes } from "./engine.ts";
import { clockSeq } from "./leases.ts";
import { type Row, rowOf } from "./row.ts";
import { KEY_TYPES } from "./rows.ts";
import type { Store } from "./store.ts";

/** Digests looked up by one statement; a larger batch takes several. */
const STATEMENT_DIGESTS_MAX = 512;

/**
 * The look-up of every verification that misses its cache. Its statements are built once for each power of two of
 * digests, so that a batch of any size finds one prepared; the rest is filled by repeating a digest.
 */
export function keyLoader(db: Database): Store["loadKeys"] {
  const statements = new Map<number, CompiledQuery<Columns>>();
  const statement = (size: number, digests: readonly Uint8Array[]): CompiledQuery<Columns> => {
    const known = statements.get(size) ?? compileLookUp(db, digests);
    statements.set(size, known);
    return { ...known, parameters: digests };
  };
  const sharing = createSharing();
  return async (digests) => {
    const records = new Map<string, KeyRecord>();
    let seq = Number.POSITIVE_INFINITY;
    for (let start = 0; start === 0 || start < digests.length; start += STATEMENT_DIGESTS_MAX) {
      const batch = padded(digests.slice(start, start + STATEMENT_DIGESTS_MAX).map(digestBytes));
      const { rows } = await db.executeQuery(statement(batch.length, batch));
      // Of several statements the oldest seq holds for every record: none was read before it.
      seq = Math.min(seq, clockSeq(rows[0]));
      for (const row of rows) {
        if (row.id === null) continue;
        const parsed = rowOf("api_key", row);
        records.set(parsed.digest("digest"), parseRecord(parsed, sharing));
      }
    }
    return { seq, keys: digests.map((digest) => records.get(digest) ?? null) };
  };
}

/** What a row of the look-up holds; all but the clock is `null` when no digest is known. */
interface Columns extends Readonly<Record<string, unknown>> {
  readonly clock_seq: unknown;
  readonly id: unknown;
}

function compileLookUp(db: Database, digests: readonly Uint8Array[]): CompiledQuery<Columns> {
  return db
    .selectFrom("change_clock")
    .leftJoin("api_key", (join) => join.on("api_key.digest", "in", digests))
    .leftJoin("environment", "environment.id", "api_key.environment_id")
    .leftJoin("account", "account.id", "environment.account_id")
    .select([
      "change_clock.seq as clock_seq",
      "api_key.id",
      "api_key.digest",
      "api_key.type",
      "api_key.metadata",
      "api_key.expires_at",
      "api_key.revoked_at",
      "environment.id as environment_id",
      "environment.slug as environment_slug",
      "environment.deleted_at as environment_deleted_at",
      "account.id as account_id",
      "account.slug as account_slug",
      "account.external_id as account_external_id",
      "account.deleted_at as account_deleted_at",
      "account.suspended_at as account_suspended_at",
    ])
    .compile();
}

/** Fills a batch to a power of two by repeating its last digest. */
function padded(digests: Buffer[]): Buffer[] {
  const last = digests.at(-1) ?? Buffer.alloc(32);
  let size = 1;
  while (size < digests.length) size *= 2;
  return [...digests, ...Array<Buffer>(size - digests.length).fill(last)];
}

function parseRecord(row: Row, sharing: Sharing): KeyRecord {
  return {
    id: row.text("id"),
    type: row.oneOf("type", KEY_TYPES),
    metadata: sharing.metadata(row.strings("metadata")),
    account: sharing.account(
      row.text("account_id"),
      row.text("account_slug"),
      row.textOrNull("account_external_id"),
    ),
    environment: sharing.environment(row.text("environment_id"), row.text("environment_slug")),
    revokedAtMs:
      row.integerOrNull("revoked_at") ??
      row.integerOrNull("environment_deleted_at") ??
      row.integerOrNull("account_deleted_at") ??
      row.integerOrNull("account_suspended_at"),
    expiresAtMs: row.integerOrNull("expires_at"),
  };
}
