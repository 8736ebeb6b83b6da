import { AsyncLocalStorage } from "node:async_hooks";
import {
  type CompiledQuery,
  type ControlledTransaction,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  type QueryResult,
} from "kysely";
import { type Database, type Engine, isPlainRead, undoable } from "./engine.ts";
import { holdGrounds } from "./grounds.ts";
import type { Schema } from "./schema.ts";
import type { Store } from "./store.ts";

/** Deeds of which somebody else's code does a part: better-auth, which takes a database and no transaction. */
export interface JointDeeds extends Pick<Store, "jointly" | "whenKept"> {
  /** The same tables. What uses it within a joint deed, however far down, takes part in that. */
  readonly db: Database;
}

/**
 * Makes one transaction of what better-auth writes and what we write about it, so that neither is there without the other.
 * It begins with the first write: until then a deed may take its time, as hashing a password does, and holds nobody up,
 * though SQLite has one connection for all.
 */
export function jointDeeds(db: Database, engine: Engine): JointDeeds {
  const current = new AsyncLocalStorage<JointDeed>();
  return {
    db: new Kysely<Schema>({ dialect: dialectOver(db, () => current.getStore()) }),

    jointly: (whose, work) =>
      undoable(async (undo) => {
        if (current.getStore()?.isOver === false)
          throw new Error("a joint deed within a joint deed");
        const joint = new JointDeed(db, {
          prepare: async (trx) => {
            if (whose !== null) await holdGrounds(trx, engine, whose);
          },
          isRefusal: engine.isRefusal,
        });
        const hasWritten = (): boolean => joint.hasWritten;
        const outcome = await joint.conclude(() =>
          current.run(joint, () => work({ hasWritten, undo })),
        );
        for (const tell of joint.tellings) tell();
        return outcome;
      }),

    whenKept(tell) {
      const joint = current.getStore();
      if (joint === undefined || joint.isOver) tell();
      else joint.tellings.push(tell);
    },
  };
}

type Transaction = ControlledTransaction<Schema>;

/** One transaction that has begun, or may. */
class JointDeed {
  readonly #db: Database;
  readonly #prepare: (trx: Database) => Promise<void>;
  readonly #isRefusal: Engine["isRefusal"];
  #begun: Promise<Transaction> | undefined;
  /** The first that failed of it, though whoever asked for that made nothing of it. */
  #failure: { readonly error: unknown } | undefined;
  /** Whether a statement altered a row. */
  hasWritten = false;
  isOver = false;
  /** What is done once it is kept. */
  readonly tellings: (() => void)[] = [];

  constructor(
    db: Database,
    by: { prepare(trx: Database): Promise<void>; isRefusal: Engine["isRefusal"] },
  ) {
    this.#db = db;
    this.#prepare = by.prepare;
    this.#isRefusal = by.isRefusal;
  }

  async execute<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // Else what comes too late would be kept by itself.
    if (this.isOver) throw new Error("a statement of a joint deed that is over");
    try {
      const isRead = isPlainRead(query);
      if (!isRead) this.#begun ??= this.#begin();
      const result = await ((await this.#begun) ?? this.#db).executeQuery<R>(query);
      const altered = result.numAffectedRows ?? BigInt(result.rows.length);
      this.hasWritten ||= !isRead && altered > 0n;
      return result;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  async #begin(): Promise<Transaction> {
    const trx = await this.#db.startTransaction().execute();
    try {
      await this.#prepare(trx);
      return trx;
    } catch (error) {
      await rollBack(trx);
      throw error;
    }
  }

  /** @throws What failed in it, or why it could not begin, whatever `work` made of that. */
  async conclude<T>(work: () => Promise<T>): Promise<T> {
    try {
      const outcome = await work();
      this.isOver = true;
      if (this.#failure !== undefined) throw this.#failure.error;
      await (await this.#begun)?.commit().execute();
      return outcome;
    } catch (error) {
      this.isOver = true;
      const trx = await this.#begun;
      if (trx !== undefined) await rollBack(trx);
      // What failed is no refusal, whatever was made of it; but a statement may be refused, e.g. for an address that is taken.
      if (this.#failure !== undefined && !this.#isRefusal(this.#failure.error))
        throw this.#failure.error;
      throw error;
    }
  }
}

/** A transaction that cannot be rolled back is lost with its connection, which comes to the same. */
async function rollBack(trx: Transaction): Promise<void> {
  if (!trx.isCommitted && !trx.isRolledBack)
    await trx
      .rollback()
      .execute()
      .catch(() => {});
}

/** Kysely over another Kysely: each statement goes to the joint deed in which it is sent, if any. */
function dialectOver(db: Database, joined: () => JointDeed | undefined): Dialect {
  const own = new WeakMap<DatabaseConnection, Transaction>();
  return {
    createAdapter: () => db.getExecutor().adapter,
    createIntrospector: () => db.introspection,
    createQueryCompiler: () => db.getExecutor(),
    createDriver: () => ({
      async init() {},
      async destroy() {},
      async acquireConnection() {
        const joint = joined();
        const connection: DatabaseConnection = {
          async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
            const trx = own.get(connection);
            if (trx !== undefined) return trx.executeQuery<R>(query);
            return joint === undefined ? db.executeQuery<R>(query) : joint.execute<R>(query);
          },
          streamQuery() {
            throw new Error("nothing is streamed");
          },
        };
        return connection;
      },
      // Within a joint deed a transaction is a part of it, and whoever fails in it fails the whole.
      async beginTransaction(connection) {
        if (joined() === undefined) own.set(connection, await db.startTransaction().execute());
      },
      async commitTransaction(connection) {
        await own.get(connection)?.commit().execute();
      },
      async rollbackTransaction(connection) {
        const trx = own.get(connection);
        if (trx !== undefined) await rollBack(trx);
        else joined()?.fail(new Error("a part of a joint deed was undone"));
      },
      async releaseConnection() {},
    }),
  };
}
