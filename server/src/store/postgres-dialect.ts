import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import pg from "pg";
import { DatabaseError, isStatementRefused, withoutContent } from "./postgres-errors.ts";
import {
  CONNECT_MAX_MS,
  clientsOf,
  prepareSession,
  type SessionSettings,
  within,
} from "./postgres-session.ts";

/** How long a connection may lie unused in its pool. */
const IDLE_MAX_MS = 30_000;

/** How old a connection may grow, so that a changed address or certificate is noticed. */
const LIFETIME_MAX_SECONDS = 3_600;

/** Warnings of a commit that is not, or not surely, on the standbys that it waited for. */
const UNCERTAIN_COMMIT = new Set(["01000", "57P01"]);

/**
 * The highest seq that a committed statement of this process was answered with, as `clock_seq`. A connection that
 * answers a later statement with a lower one leads to the past, e.g. to a deposed primary, and is closed.
 */
export interface Horizon {
  seq: number;
}

export interface PoolSettings extends SessionSettings {
  readonly connectionsMax: number;
  readonly horizon: Horizon;
  /** Run by every transaction before anything else. */
  readonly afterBegin?: string;
}

/**
 * Kysely on Postgres, stricter than its own driver (design §6, "Postgres, exactly"): connections are checked before
 * their first use, one that failed inside a transaction is never used again, a commit counts only when the server says
 * so without a warning, and no error carries content.
 */
export function postgresDialect(settings: PoolSettings): Dialect {
  return {
    createAdapter: () => new UnlockedAdapter(),
    createDriver: () => createDriver(settings),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** Migrations are locked by `afterBegin`: a lock of the session would not survive a pooler in transaction mode. */
class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

function createDriver(settings: PoolSettings): Driver {
  const pool = new pg.Pool({
    Client: clientsOf(settings),
    max: settings.connectionsMax,
    connectionTimeoutMillis: CONNECT_MAX_MS,
    idleTimeoutMillis: IDLE_MAX_MS,
    maxLifetimeSeconds: LIFETIME_MAX_SECONDS,
    // The pool awaits it, whatever its type says.
    onConnect: (client) => prepareSession(client, settings),
  });
  // A connection that is lost while idle has left the pool already; its error is no news to anybody.
  pool.on("error", () => {});
  const open = new WeakMap<DatabaseConnection, Connection>();
  const held = (connection: DatabaseConnection): Connection => {
    const found = open.get(connection);
    if (found === undefined) throw new Error("the connection is not of this pool");
    return found;
  };
  return {
    async init() {},
    async acquireConnection() {
      let client: pg.PoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        if (pool.totalCount === settings.connectionsMax && pool.idleCount === 0)
          throw new DatabaseError("all connections to the database are in use", null, false);
        throw withoutContent(error, false);
      }
      const connection = new Connection(client, settings);
      open.set(connection, connection);
      return connection;
    },
    beginTransaction: (connection) => held(connection).begin(settings.afterBegin),
    commitTransaction: (connection) => held(connection).commit(),
    rollbackTransaction: (connection) => held(connection).rollback(),
    releaseConnection: async (connection) => held(connection).release(),
    async destroy() {
      // A connection whose other end is gone says no goodbye.
      await within(settings.deadlineMs, pool.end()).catch(() => {});
    },
  };
}

/** One loan of a pooled client. */
class Connection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  readonly #settings: PoolSettings;
  #inTransaction = false;
  /** Must not be used by anybody again. */
  #spent = false;
  #released = false;
  #warning: string | undefined;
  readonly #onNotice = ({ code }: { code?: string | undefined }): void => {
    if (code !== undefined && UNCERTAIN_COMMIT.has(code)) this.#warning = code;
  };

  constructor(client: pg.PoolClient, settings: PoolSettings) {
    this.#client = client;
    this.#settings = settings;
    client.on("notice", this.#onNotice);
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { horizon } = this.#settings;
    const known = horizon.seq;
    const { command, rowCount, rows } = await this.#send(sql, parameters, !this.#inTransaction);
    const seq: unknown = rows[0]?.clock_seq;
    if (typeof seq === "number" && !this.#inTransaction) {
      if (seq < known) this.#spent = true;
      horizon.seq = Math.max(horizon.seq, seq);
    }
    return command === "SELECT" || rowCount === null
      ? { rows }
      : { rows, numAffectedRows: BigInt(rowCount) };
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new Error("nothing is streamed");
  }

  async begin(after: string | undefined): Promise<void> {
    this.#inTransaction = true;
    await this.#send("begin", [], false);
    if (after !== undefined) await this.#send(after, [], false);
  }

  async commit(): Promise<void> {
    const { command } = await this.#send("commit", [], true);
    this.#inTransaction = false;
    if (command === "COMMIT") return;
    this.#spent = true;
    throw new DatabaseError("the transaction was rolled back by the database", null, false);
  }

  /** After an error the session is closed instead, which rolls back too. */
  async rollback(): Promise<void> {
    if (!this.#spent) await this.#send("rollback", [], false);
    this.#inTransaction = false;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#client.off("notice", this.#onNotice);
    this.#client.release(this.#spent || this.#inTransaction);
  }

  /** @param commits Whether the answer says that something is committed. */
  async #send(
    sql: string,
    parameters: readonly unknown[],
    commits: boolean,
  ): Promise<pg.QueryResult> {
    this.#warning = undefined;
    try {
      const answer = this.#client.query(sql, [...parameters]);
      const result = await within(this.#settings.deadlineMs, answer);
      if (commits && this.#warning !== undefined)
        throw new DatabaseError("the commit is not certain to be kept", this.#warning, true);
      return result;
    } catch (error) {
      const told = withoutContent(error, true);
      if (this.#inTransaction || !isStatementRefused(told)) this.#spent = true;
      // Closes the socket, so that a statement still running is never answered to anybody else.
      if (told.ambiguous) this.release();
      throw told;
    }
  }
}
