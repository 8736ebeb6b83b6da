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
import { isPlainRead } from "./engine.ts";
import {
  ConnectionLost,
  DatabaseError,
  isStatementRefused,
  withoutContent,
} from "./postgres-errors.ts";
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

/** Statements that are kept prepared; some fifteen are sent again and again. */
const PREPARED_MAX = 64;

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
  /**
   * Whether the server keeps every statement prepared, for planning one takes as long as executing it. For connections
   * that send few different ones: each is kept for as long as the connection.
   */
  readonly prepares?: boolean;
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
  const source = createSource(settings);
  const open = new WeakMap<DatabaseConnection, Connection>();
  const held = (connection: DatabaseConnection): Connection => {
    const found = open.get(connection);
    if (found === undefined) throw new Error("the connection is not of this pool");
    return found;
  };
  return {
    async init() {},
    async acquireConnection() {
      const connection = new Connection(await source.connect(), source, settings);
      open.set(connection, connection);
      return connection;
    },
    beginTransaction: (connection) => held(connection).begin(settings.afterBegin),
    commitTransaction: (connection) => held(connection).commit(),
    rollbackTransaction: (connection) => held(connection).rollback(),
    releaseConnection: async (connection) => held(connection).release(),
    destroy: source.end,
  };
}

/** Where connections come from. */
interface Source {
  /** Lends a connection that is as good as is known. */
  connect(): Promise<pg.PoolClient>;
  /** What a statement is prepared as on this connection, if it is. */
  nameOf(client: pg.PoolClient, sql: string): string | undefined;
  /** This connection was lost: what lies idle may be as old, and lost like it. */
  distrust(client: pg.PoolClient): void;
  end(): Promise<void>;
}

function createSource(settings: PoolSettings): Source {
  /** Connections that were made since one was lost. */
  let trusted = new WeakSet<pg.ClientBase>();
  const preparing = new WeakSet<pg.ClientBase>();
  const names = new Map<string, string>();
  const pool = new pg.Pool({
    Client: clientsOf(settings),
    max: settings.connectionsMax,
    connectionTimeoutMillis: CONNECT_MAX_MS,
    idleTimeoutMillis: IDLE_MAX_MS,
    maxLifetimeSeconds: LIFETIME_MAX_SECONDS,
    // The pool awaits it, whatever its type says.
    onConnect: async (client) => {
      const { ownBackend } = await prepareSession(client, settings);
      if (ownBackend && settings.prepares === true) preparing.add(client);
      trusted.add(client);
    },
  });
  // A connection that is lost while idle has left the pool already; its error is no news to anybody.
  pool.on("error", () => {});
  return {
    async connect() {
      try {
        for (;;) {
          const client = await pool.connect();
          if (trusted.has(client)) return client;
          client.release(true);
        }
      } catch (error) {
        if (pool.totalCount === settings.connectionsMax && pool.idleCount === 0)
          throw new DatabaseError("all connections to the database are in use", null, false);
        throw withoutContent(error, false);
      }
    },
    nameOf(client, sql) {
      if (!preparing.has(client)) return undefined;
      const known = names.get(sql);
      if (known !== undefined || names.size === PREPARED_MAX) return known;
      const name = `latchkey_${names.size}`;
      names.set(sql, name);
      return name;
    },
    distrust(client) {
      if (trusted.has(client)) trusted = new WeakSet();
    },
    async end() {
      // A connection whose other end is gone says no goodbye.
      await within(settings.deadlineMs, pool.end()).catch(() => {});
    },
  };
}

/** One loan of a pooled client. */
class Connection implements DatabaseConnection {
  #client: pg.PoolClient;
  readonly #source: Source;
  readonly #settings: PoolSettings;
  #inTransaction = false;
  /** Must not be used by anybody again. */
  #spent = false;
  #released = false;
  #warning: string | undefined;
  readonly #onNotice = ({ code }: { code?: string | undefined }): void => {
    if (code !== undefined && UNCERTAIN_COMMIT.has(code)) this.#warning = code;
  };

  constructor(client: pg.PoolClient, source: Source, settings: PoolSettings) {
    this.#client = client;
    this.#source = source;
    this.#settings = settings;
    client.on("notice", this.#onNotice);
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const ask = () => this.#ask<R>(query);
    return !this.#inTransaction && isPlainRead(query) ? this.#again(ask) : ask();
  }

  /**
   * Does what leaves no trace once more when its connection was lost, on a new one: a restart of the server fails
   * nobody who comes after it. Each step keeps its own bound.
   */
  async #again<T>(traceless: () => Promise<T>): Promise<T> {
    try {
      return await traceless();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await this.#reconnect();
      return traceless();
    }
  }

  async #reconnect(): Promise<void> {
    this.#client = await this.#source.connect();
    this.#client.on("notice", this.#onNotice);
    this.#spent = false;
    this.#released = false;
  }

  async #ask<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { horizon } = this.#settings;
    const known = horizon.seq;
    const { command, rowCount, rows } = await this.#send(
      { text: sql, values: [...parameters], name: this.#source.nameOf(this.#client, sql) },
      !this.#inTransaction,
    );
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
    await this.#again(() => this.#send({ text: "begin" }, false));
    this.#inTransaction = true;
    if (after !== undefined) await this.#send({ text: after }, false);
  }

  async commit(): Promise<void> {
    const { command } = await this.#send({ text: "commit" }, true);
    this.#inTransaction = false;
    if (command === "COMMIT") return;
    this.#spent = true;
    throw new DatabaseError("the transaction was rolled back by the database", null, false);
  }

  /** After an error the session is closed instead, which rolls back too. */
  async rollback(): Promise<void> {
    if (!this.#spent) await this.#send({ text: "rollback" }, false);
    this.#inTransaction = false;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#client.off("notice", this.#onNotice);
    this.#client.release(this.#spent || this.#inTransaction);
  }

  /** @param commits Whether the answer says that something is committed. */
  async #send(query: pg.QueryConfig, commits: boolean): Promise<pg.QueryResult> {
    this.#warning = undefined;
    try {
      const answer = this.#client.query(query);
      const result = await within(this.#settings.deadlineMs, answer);
      if (commits && this.#warning !== undefined)
        throw new DatabaseError("the commit is not certain to be kept", this.#warning, true);
      return result;
    } catch (error) {
      const told = withoutContent(error, true);
      if (this.#inTransaction || !isStatementRefused(told)) this.#spent = true;
      if (told.ambiguous) {
        this.#source.distrust(this.#client);
        // Closes the socket, so that a statement still running is never answered to anybody else.
        this.release();
      }
      throw told;
    }
  }
}
