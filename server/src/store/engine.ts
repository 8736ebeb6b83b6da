import type { Expression, Kysely, SqlBool } from "kysely";
import type { Schema, SignInTime, StoredBoolean } from "./schema.ts";

/** A connection to the store, or a transaction on one. */
export type Database = Kysely<Schema>;

/** What the engines do differently; everything else is one implementation. */
export interface Engine {
  readonly dialect: "sqlite" | "postgres";
  /**
   * Whether rows that a transaction is about to change must be locked by the statement that reads them. SQLite runs one
   * transaction at a time and knows no `for update`.
   */
  readonly locksRows: boolean;
  /** Random ids of rows that callers do not name: changes and sign-in credentials. */
  randomId(): string;
  /** True where `column` contains `text`, literally: there are no wildcards. */
  contains(column: Expression<string>, text: string): Expression<SqlBool>;
  signInTime(atMs: number): SignInTime;
  boolean(value: boolean): StoredBoolean;
}

/** Carries a refused deed out of its transaction, so that the engine rolls it back; never leaves {@link deed}. */
class Undone extends Error {}

/**
 * Runs one deed in one transaction. `undo` ends it with an outcome and keeps nothing of what was written, an
 * idempotency record among it: a deed that did not happen may be tried again.
 */
export async function deed<T>(
  db: Database,
  work: (trx: Database, undo: (outcome: T) => never) => Promise<T>,
): Promise<T> {
  let undone: { readonly outcome: T } | undefined;
  const undo = (outcome: T): never => {
    undone = { outcome };
    throw new Undone();
  };
  try {
    return await db.transaction().execute((trx) => work(trx, undo));
  } catch (error) {
    if (error instanceof Undone && undone !== undefined) return undone.outcome;
    throw error;
  }
}

/** The 32 bytes of a digest given as base64url. */
export function digestBytes(digest: string): Buffer {
  return Buffer.from(digest, "base64url");
}
