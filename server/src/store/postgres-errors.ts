import pg from "pg";
import { StoreError } from "./store.ts";

/** The server refused one statement for what it was: data exceptions, constraints, syntax and rights. */
const STATEMENT_REFUSED = /^(22|23|42)[0-9A-Z]{3}$/;

/**
 * What went wrong in the database, told without content: the driver's own errors carry rows (`detail`), parameters and
 * the client, and so digests and passwords. None of them is kept, nor as a cause.
 */
export class DatabaseError extends StoreError {
  /** SQLSTATE, or the system's code of a lost connection; `null` when there is none. */
  readonly code: string | null;
  /** Whether the statement may have taken effect nevertheless; to be resolved by repeating it under its guard. */
  readonly ambiguous: boolean;

  constructor(message: string, code: string | null, ambiguous: boolean) {
    super(message, code === null || !STATEMENT_REFUSED.test(code));
    this.name = "DatabaseError";
    this.code = code;
    this.ambiguous = ambiguous;
  }
}

/**
 * The connection ended before the answer came: the server stopped or restarted, or something between forgot it. What
 * only reads may be asked again.
 */
export class ConnectionLost extends DatabaseError {
  constructor(message: string, code: string | null) {
    super(message, code, true);
  }
}

/** `DATABASE_URL` names no Postgres database. Says nothing of the address, for it may hold a password. */
export class InvalidDatabaseUrl extends Error {
  constructor(reason: string) {
    super(
      `the database's address is not of the form postgres://user:password@host:port/name (${reason})`,
    );
    this.name = "InvalidDatabaseUrl";
  }
}

/** The server that answered takes no writes: a standby, a server in recovery, or a read-only role. */
export class NotPrimary extends DatabaseError {
  constructor(what: string) {
    super(`the database server that answered is no primary: ${what}`, "25006", false);
    this.name = "NotPrimary";
  }
}

/** Turns whatever the driver threw into an error that may be logged. */
export function withoutContent(error: unknown, sent: boolean): DatabaseError {
  if (error instanceof DatabaseError) return error;
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? null;
    // FATAL ends the session, and may come after a commit whose answer it overtook.
    return sent && error.severity !== "ERROR"
      ? new ConnectionLost(messageOf(error), code)
      : new DatabaseError(messageOf(error), code, false);
  }
  if (error instanceof UnsafeInteger) return new DatabaseError(error.message, "22003", sent);
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
  const suffix = code === null ? "" : ` (${code})`;
  return sent
    ? new ConnectionLost(`the connection to the database was lost${suffix}`, code)
    : new DatabaseError(`the database cannot be reached${suffix}`, code, false);
}

/** A `bigint` of the database that a JavaScript number cannot hold. */
export class UnsafeInteger extends Error {
  constructor() {
    super("the database holds a number beyond 2^53");
    this.name = "UnsafeInteger";
  }
}

/** Of class 22 (data exceptions) the message may quote the value. */
function messageOf(error: pg.DatabaseError): string {
  if (error.code === "22021") return "the database refused text: it holds a NUL or is not UTF-8";
  if (error.code?.startsWith("22")) return `the database refused a value (${error.code})`;
  return error.message;
}

/** Whether the server refused this one statement and the session is as good as before. */
export function isStatementRefused(error: DatabaseError): boolean {
  return error.code !== null && STATEMENT_REFUSED.test(error.code);
}
