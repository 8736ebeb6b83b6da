import { ApiError } from "@latchkey/sdk/client";
import { Failure } from "@latchkey/sdk/core";
import { SettingsError } from "../config.ts";
import { NewerSchema } from "../store/migrations/migrate.ts";
import { DatabaseError, InvalidDatabaseUrl } from "../store/postgres-errors.ts";
import { StoreInUse } from "../store/sqlite.ts";
import { printable, printableLines } from "./printable.ts";
import { CommandFailure, EXIT } from "./terminal.ts";

/** Where a command was when something went wrong; names what people can change. */
export interface Place {
  readonly host?: string;
  readonly port?: number;
  readonly dataFolder?: string;
  /** The server that was asked. */
  readonly url?: string;
}

/** What a person reads when a command could not do its work: what is wrong, and what to do. Never a stack. */
export function explain(error: unknown, place: Place = {}): string {
  return printableLines(explanationOf(error, place));
}

function explanationOf(error: unknown, place: Place): string {
  if (error instanceof CommandFailure || error instanceof SettingsError) return error.message;
  if (error instanceof StoreInUse)
    return `Another latchkey is running on ${place.dataFolder ?? "this data folder"}. Stop it first, or use another folder (LATCHKEY_DATA).`;
  if (error instanceof NewerSchema) return `${capital(error.message)}.`;
  if (error instanceof DatabaseError || error instanceof InvalidDatabaseUrl)
    return `${capital(error.message)}. Check DATABASE_URL.`;
  if (error instanceof Failure)
    return [error.detail, ...error.errors.map((wrong) => `${wrong.field}: ${wrong.message}`)].join(
      "\n  ",
    );
  if (error instanceof ApiError) return explainAnswer(error, place);
  if (!(error instanceof Error)) return `Something unknown went wrong: ${String(error)}`;
  const at = "code" in error ? error.code : undefined;
  if (at === "EADDRINUSE")
    return `Port ${place.port} on ${place.host} is in use. Stop what listens there, or choose another with PORT.`;
  if (at === "EADDRNOTAVAIL") return `${place.host} is no address of this machine; check HOST.`;
  if (at === "EACCES" && "syscall" in error && error.syscall === "listen")
    return `Listening on port ${place.port} of ${place.host} is not permitted; choose a PORT above 1023.`;
  if (place.dataFolder !== undefined && "path" in error && typeof at === "string")
    return `The data folder ${place.dataFolder} cannot be used (${error.message}); check LATCHKEY_DATA.`;
  return error.message;
}

function explainAnswer(error: ApiError, { url = "the server" }: Place): string {
  if (error.code === "unreachable" || error.code === "timeout")
    return `No answer from ${url}. Does it run there? See LATCHKEY_URL, or \`latchkey config set url\`.`;
  const fields = error.errors.map((wrong) => `${wrong.field}: ${wrong.message}`);
  const request = error.requestId === null ? [] : [`Request id: ${error.requestId}`];
  return [error.message, ...fields, ...request].map(printable).join("\n  ");
}

/** The exit code of a command that ended with this error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandFailure) return error.exitCode;
  if (!(error instanceof ApiError)) return EXIT.failed;
  if (error.status === 404) return EXIT.absent;
  return error.status === 401 || error.status === 403 ? EXIT.forbidden : EXIT.failed;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
