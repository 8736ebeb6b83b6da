import { type Client, createClient } from "@latchkey/sdk/client";
import { isLoopback } from "../setting-values.ts";
import { type Remembered, readRemembered } from "./config-file.ts";
import { CommandFailure, type Terminal } from "./terminal.ts";

/** Where a server listens unless told otherwise. */
const DEFAULT_URL = "http://127.0.0.1:4400";

/** Kinds of tokens that commands need. */
export type TokenKind = "service" | "operator" | "verifier";

/** Where each comes from, and what it is. */
export const TOKENS = {
  service: {
    prefix: "st_",
    variable: "LATCHKEY_SERVICE_TOKEN",
    field: "service_token",
    from: "of the account that set-up or `accounts create` showed",
  },
  operator: {
    prefix: "ot_",
    variable: "LATCHKEY_OPERATOR_TOKEN",
    field: "operator_token",
    from: "that set-up showed",
  },
  verifier: {
    prefix: "vt_",
    variable: "LATCHKEY_VERIFIER_TOKEN",
    field: "verifier_token",
    from: "that set-up or `tokens create` showed",
  },
} as const satisfies Record<TokenKind, object>;

/**
 * Makes a client of the server, with a token of the kind that the command needs.
 *
 * @throws CommandFailure when there is none, or when it would travel readably over a network.
 */
export function connect({ env }: Pick<Terminal, "env">, kind: TokenKind): Client {
  return clientWith(env, tokenOf(env, kind), `${kind} token`);
}

/** The same with a token of any kind. @param what It is, for people. */
export function clientWith(env: Terminal["env"], token: string, what: string): Client {
  return createClient({ url: originFor(env, what), token });
}

/**
 * The server in force, as what a token may be sent to.
 *
 * @param what The token is, for people.
 * @throws CommandFailure when the token would travel readably over a network.
 */
export function originFor(env: Terminal["env"], what: string): string {
  const url = serverUrl(env);
  if (!URL.canParse(url)) throw new CommandFailure("LATCHKEY_URL is not a URL.");
  const { protocol, hostname, origin } = new URL(url);
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback(hostname)))
    throw new CommandFailure(
      `LATCHKEY_URL must be https:// (http:// for a loopback host only), for the ${what} travels to ${hostname || "it"}.`,
    );
  return origin;
}

/** Where the server is: as the environment says, as is remembered, or where one listens by default. */
export function serverUrl(env: Terminal["env"]): string {
  return env.LATCHKEY_URL || readRemembered(env).url || DEFAULT_URL;
}

/** The variable of the kind, then LATCHKEY_TOKEN if that is of the kind, then what is remembered. */
function tokenOf(env: Terminal["env"], kind: TokenKind): string {
  const { variable, prefix, from } = TOKENS[kind];
  const any = env.LATCHKEY_TOKEN;
  const token =
    env[variable] || (any?.startsWith(prefix) ? any : undefined) || rememberedFor(env, kind);
  if (token !== undefined) return token;
  const other = Object.entries(TOKENS).find(([, each]) => any?.startsWith(each.prefix))?.[0];
  const held = other === undefined ? "" : ` LATCHKEY_TOKEN holds the ${other} token.`;
  throw new CommandFailure(
    `${variable} is not set. It is the ${kind} token (${prefix}…) ${from}; \`latchkey config set token\` remembers it.${held}`,
  );
}

/** What is remembered goes to the server that it is remembered with, and to no other. */
function rememberedFor(env: Terminal["env"], kind: TokenKind): string | undefined {
  const remembered: Remembered = readRemembered(env);
  const isTheirs =
    remembered.url !== undefined && originOf(serverUrl(env)) === originOf(remembered.url);
  return isTheirs ? remembered[TOKENS[kind].field] : undefined;
}

/** Of a URL that is none: itself. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);

/** Every entry of a list that the client reads page by page, or the first of them, and whether there are more. */
export async function collect<T>(
  entries: AsyncIterable<T>,
  max = Number.POSITIVE_INFINITY,
): Promise<{ entries: T[]; more: boolean }> {
  const collected: T[] = [];
  for await (const entry of entries) {
    if (collected.length >= max) return { entries: collected, more: true };
    collected.push(entry);
  }
  return { entries: collected, more: false };
}
