import { type Client, createClient } from "@latchkey/sdk/client";
import { isLoopback } from "../config.ts";
import { explain } from "./explain.ts";
import { CommandFailure, type Terminal } from "./terminal.ts";

/** Where a server listens unless told otherwise. */
const DEFAULT_URL = "http://127.0.0.1:4400";

/** Where the tokens of commands come from, and what they are. */
const TOKENS = {
  LATCHKEY_OPERATOR_TOKEN: "operator token (ot_…) that set-up showed",
  LATCHKEY_SERVICE_TOKEN:
    "service token (st_…) of the account that set-up or `accounts create` showed",
} as const;

/**
 * Makes a client of the running server, as the operator unless another token is named.
 *
 * @throws CommandFailure when the token is missing, or would travel readably over a network.
 */
export function connect(
  env: Terminal["env"],
  variable: keyof typeof TOKENS = "LATCHKEY_OPERATOR_TOKEN",
): Client {
  const url = env.LATCHKEY_URL || DEFAULT_URL;
  const token = env[variable];
  const what = TOKENS[variable];
  if (token === undefined || token === "")
    throw new CommandFailure(`${variable} is not set. It is the ${what}.`);
  if (!URL.canParse(url)) throw new CommandFailure("LATCHKEY_URL is not a URL.");
  const { protocol, hostname, origin } = new URL(url);
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback(hostname)))
    throw new CommandFailure(
      `LATCHKEY_URL must be https:// (http:// for a loopback host only), for the ${what.split(" (")[0]} travels to ${hostname || "it"}.`,
    );
  return createClient({ url: origin, token });
}

/** Tells in plain words why a call of the client failed. To be given to `catch`. */
export function fail(cause: unknown): never {
  throw new CommandFailure(explain(cause), { cause });
}

/** Every entry of a list that the client reads page by page, or the first of them. */
export async function collect<T>(
  entries: AsyncIterable<T>,
  max = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const collected: T[] = [];
  for await (const entry of entries) {
    collected.push(entry);
    if (collected.length >= max) break;
  }
  return collected;
}
