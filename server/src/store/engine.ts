import {
  type CompiledQuery,
  type Expression,
  type Kysely,
  SelectQueryNode,
  type SqlBool,
} from "kysely";
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
  /**
   * Whether a change is written by one statement with all that belongs to it, so that its clock is locked for no round
   * trip more than needed. SQLite knows no such statement, and needs none.
   */
  readonly writesTogether: boolean;
  /** Random ids of rows that callers do not name: changes and sign-in credentials. */
  randomId(): string;
  /** True where `column` contains `text`, literally: there are no wildcards. */
  contains(column: Expression<string>, text: string): Expression<SqlBool>;
  /** True; a statement of its own that asks it need not wait for the disk, and may be lost in a crash, where that helps. */
  readonly unsynced: Expression<SqlBool>;
  signInTime(atMs: number): SignInTime;
  boolean(value: boolean): StoredBoolean;
  /** Lets one transaction at a time look whether `name` is taken and take it; the others wait for its end. */
  lockName(trx: Database, name: string): Promise<void>;
  /** Lets any number of transactions at a time rely on what `name` stands for; whoever locks it waits for their end. */
  shareName(trx: Database, name: string): Promise<void>;
  /** Whether a deed that ended with this error may have been done nevertheless. */
  isAmbiguous(error: unknown): boolean;
  /** Whether a statement was refused for what it said, e.g. a name that is taken, and did not fail. */
  isRefusal(error: unknown): boolean;
  /** A node joined at `seq`: from now on the database may lawfully be behind what it was before, e.g. restored. */
  joinedAt(seq: number): void;
}

/** The store's connections by what waits for them, so that a crowd of one kind holds up no other; one on SQLite. */
export interface Lanes {
  /** Loads and everything that people and programs ask for. */
  readonly requests: Database;
  /** Revocations, their barriers, and looking after other nodes. */
  readonly revocations: Database;
  /** Joining and renewing, nothing else: a node's lease hangs on them. */
  readonly renewals: Database;
}

/** Carries a refused deed out of its transaction, so that the engine rolls it back; never leaves {@link undoable}. */
class Undone extends Error {}

/**
 * Runs one deed in one transaction. `undo` ends it with an outcome and keeps nothing of what was written, an
 * idempotency record among it: a deed that did not happen may be tried again.
 */
export async function deed<T>(
  db: Database,
  work: (trx: Database, undo: (outcome: T) => never) => Promise<T>,
): Promise<T> {
  return undoable((undo) => db.transaction().execute((trx) => work(trx, undo)));
}

/** Gives `run` a way to end with an outcome by an exception of its own, which nothing that rolls back mistakes. */
export async function undoable<T>(run: (undo: (outcome: T) => never) => Promise<T>): Promise<T> {
  let undone: { readonly outcome: T } | undefined;
  const undo = (outcome: T): never => {
    undone = { outcome };
    throw new Undone();
  };
  try {
    return await run(undo);
  } catch (error) {
    if (error instanceof Undone && undone !== undefined) return undone.outcome;
    throw error;
  }
}

/** Repetitions of a deed whose answer was lost. */
const REPEATS_MAX = 2;

/** Repeats a deed that is guarded against being done twice for as long as it is not known whether it was done. */
export async function untilCertain<T>(engine: Engine, deed: () => Promise<T>): Promise<T> {
  for (let repeats = 0; ; repeats++)
    try {
      return await deed();
    } catch (error) {
      if (repeats === REPEATS_MAX || !engine.isAmbiguous(error)) throw error;
    }
}

/** Whether a statement does nothing but read rows, without locking them. Data that it changes would be another node. */
export function isPlainRead({ query }: CompiledQuery): boolean {
  return SelectQueryNode.is(query) && query.with === undefined && query.endModifiers === undefined;
}

/** The 32 bytes of a digest given as base64url. */
export function digestBytes(digest: string): Buffer {
  return Buffer.from(digest, "base64url");
}
