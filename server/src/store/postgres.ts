import { Kysely, sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import { kyselyStore, type OpenStore } from "./kysely-store.ts";
import { migrate } from "./migrations/migrate.ts";
import { type Horizon, postgresDialect } from "./postgres-dialect.ts";
import { DatabaseError, isStatementRefused } from "./postgres-errors.ts";
import { type ChangeListener, createChangeListener } from "./postgres-listener.ts";
import { type SessionSettings, sessionSettings } from "./postgres-session.ts";
import type { Schema } from "./schema.ts";

/** Connections of one node: for requests, unless the options say otherwise, for revocations, and for renewals. */
const REQUEST_CONNECTIONS_MAX = 8;
const REVOCATION_CONNECTIONS_MAX = 4;
const RENEWAL_CONNECTIONS_MAX = 1;

/** How long a migration may take, and a node that starts wait for another one's. */
const MIGRATION_MAX_MS = 600_000;

/** Any number that no other lock of this database has: the transactions that migrate take turns by it. */
const MIGRATION_LOCK = 7_108_466_417_530_001;

/** What the engine needs of the world. */
export interface PostgresOptions {
  /** A new unguessable id at each call. */
  readonly randomId: () => string;
  /** The length of a lease: no session may hold the change clock for more than a third of it. */
  readonly leaseMs: number;
  /** Connections for requests, 8 unless given. Six more are for revocations, renewals and hearing of changes. */
  readonly requestConnectionsMax?: number;
}

/** The migrated store, with a way to hear of changes sooner than by reading them; nothing may rely on the latter. */
export interface OpenPostgres extends OpenStore, Pick<ChangeListener, "onChange"> {}

/**
 * Opens the store in a Postgres database, migrated as needed. Any number of processes may open it at once.
 *
 * @param url `postgres://user:password@host:port/name`; TLS by `?sslmode=verify-full&sslrootcert=…`.
 * @throws InvalidDatabaseUrl
 * @throws NotPrimary when the server takes no writes.
 * @throws NewerSchema when a newer release has migrated it.
 */
export async function openPostgres(url: string, options: PostgresOptions): Promise<OpenPostgres> {
  const session = sessionSettings(url, options.leaseMs);
  const horizon: Horizon = { seq: 0 };
  await migrateAlone(session);
  const lane = (connectionsMax: number, prepares: boolean): Database =>
    new Kysely<Schema>({
      dialect: postgresDialect({ ...session, connectionsMax, prepares, horizon }),
    });
  const lanes = {
    requests: lane(options.requestConnectionsMax ?? REQUEST_CONNECTIONS_MAX, false),
    revocations: lane(REVOCATION_CONNECTIONS_MAX, true),
    renewals: lane(RENEWAL_CONNECTIONS_MAX, true),
  };
  const listener = createChangeListener(session);
  return {
    ...kyselyStore(lanes, postgresEngine(options, horizon), listener.close),
    onChange: listener.onChange,
  };
}

/** Migrates on a connection of its own: it may take long, and holds no lock that a revocation waits for. */
async function migrateAlone(session: SessionSettings): Promise<void> {
  const dialect = postgresDialect({
    ...session,
    statementMs: MIGRATION_MAX_MS,
    idleInTransactionMs: MIGRATION_MAX_MS,
    deadlineMs: 2 * MIGRATION_MAX_MS,
    connectionsMax: 1,
    horizon: { seq: 0 },
    afterBegin: `select pg_advisory_xact_lock(${MIGRATION_LOCK})`,
  });
  const db = new Kysely<Schema>({ dialect });
  try {
    await migrate(db, "postgres");
  } finally {
    await db.destroy();
  }
}

function postgresEngine(options: PostgresOptions, horizon: Horizon): Engine {
  return {
    dialect: "postgres",
    locksRows: true,
    writesTogether: true,
    randomId: options.randomId,
    contains: (column, text) => sql`strpos(${column}, ${text}) > 0`,
    unsynced: sql`set_config('synchronous_commit', 'off', true) = 'off'`,
    signInTime: (atMs) => new Date(atMs),
    boolean: (value) => value,
    async lockName(trx, name) {
      await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
    },
    async shareName(trx, name) {
      await sql`select pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`.execute(trx);
    },
    isAmbiguous: (error) => error instanceof DatabaseError && error.ambiguous,
    isRefusal: (error) => error instanceof DatabaseError && isStatementRefused(error),
    joinedAt(seq) {
      horizon.seq = seq;
    },
  };
}
