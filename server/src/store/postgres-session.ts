import pg from "pg";
import { DatabaseError, InvalidDatabaseUrl, NotPrimary, UnsafeInteger } from "./postgres-errors.ts";

/** What every session of one store has in common. Times are milliseconds. */
export interface SessionSettings {
  readonly url: string;
  /** The server ends a statement, or the wait for a lock, after this long. */
  readonly statementMs: number;
  /** The server ends a session that is idle inside a transaction after this long. */
  readonly idleInTransactionMs: number;
  /** The client gives a connection up, and never uses it again, when no answer came for this long. */
  readonly deadlineMs: number;
}

/** What {@link prepareSession} found out about a session. */
export interface Session {
  /**
   * Whether what is prepared stays prepared: behind a pooler in transaction mode each transaction may meet another
   * backend than the one that the client was told of.
   */
  readonly ownBackend: boolean;
}

/** How long a connection may take to be made, and a statement wait for a free one. */
export const CONNECT_MAX_MS = 2_000;

/** Time-outs of every session while leases last `leaseMs`: nobody holds the change clock past a third of a lease. */
export function sessionSettings(url: string, leaseMs: number): SessionSettings {
  const statementMs = Math.max(1, Math.floor(Math.min(1_000, leaseMs / 3)));
  return {
    url,
    statementMs,
    // Shorter, so that whoever waits for a stalled client's lock gets it before giving up.
    idleInTransactionMs: Math.max(1, Math.floor(statementMs / 2)),
    deadlineMs: 2 * statementMs,
  };
}

const types: pg.CustomTypesConfig = { getTypeParser: parserOf };

/** `bigint` becomes a number or an error, never a string or a number that is nearly right. */
function parserOf(oid: number, format?: "text" | "binary") {
  return oid === pg.types.builtins.INT8 && format !== "binary"
    ? parseInteger
    : pg.types.getTypeParser(oid, format);
}

function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new UnsafeInteger();
  return value;
}

/**
 * Clients of one database, as a class for the driver's pool, which so never holds the address and its password.
 *
 * @throws InvalidDatabaseUrl
 */
export function clientsOf({ url }: SessionSettings): new () => pg.Client {
  const Client = class extends pg.Client {
    constructor() {
      super({
        connectionString: url,
        types,
        keepAlive: true,
        connectionTimeoutMillis: CONNECT_MAX_MS,
        application_name: "latchkey",
      });
    }
  };
  refuseUrl(url);
  try {
    new Client();
  } catch (error) {
    const file = error instanceof Error && "path" in error ? `: cannot read ${error.path}` : "";
    throw new InvalidDatabaseUrl(`its options are not understood${file}`);
  }
  return Client;
}

function refuseUrl(url: string): void {
  let protocol: string;
  try {
    protocol = new URL(url).protocol;
  } catch {
    throw new InvalidDatabaseUrl("it cannot be parsed");
  }
  if (protocol !== "postgres:" && protocol !== "postgresql:")
    throw new InvalidDatabaseUrl(`it starts with ${protocol}`);
}

/**
 * Makes a new session safe to use, in one round trip: its time-outs, its isolation, its durability, and that it is on a
 * primary. A session that does not pass must be closed.
 */
export async function prepareSession(
  client: pg.ClientBase,
  { statementMs, idleInTransactionMs, deadlineMs }: SessionSettings,
): Promise<Session> {
  // An error of a session in use reaches its statement; unheard, it would end the process.
  client.on("error", () => {});
  const asked = client.query(`
    set statement_timeout = ${statementMs};
    set lock_timeout = ${statementMs};
    set idle_in_transaction_session_timeout = ${idleInTransactionMs};
    set default_transaction_isolation = 'read committed';
    select set_config('synchronous_commit', 'on', false)
      where current_setting('synchronous_commit') in ('off', 'local');
    select pg_is_in_recovery() as recovering,
      current_setting('transaction_read_only') as read_only,
      current_setting('server_encoding') as encoding,
      pg_backend_pid() as backend`);
  // The types of the driver know of one statement only.
  const results = (await within(deadlineMs, asked)) as unknown as pg.QueryResult[];
  const session: Readonly<Record<string, unknown>> = results.at(-1)?.rows[0] ?? {};
  if (session.recovering !== false) throw new NotPrimary("it is in recovery, or a standby");
  if (session.read_only !== "off") throw new NotPrimary("its transactions are read-only");
  if (session.encoding !== "UTF8")
    throw new DatabaseError("the database's encoding must be UTF8", null, false);
  return { ownBackend: "processID" in client && session.backend === client.processID };
}

/** Rejects when `promise` is not settled after `ms`; whoever asked then closes the connection. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseError("the database did not answer in time", null, true));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
