import { Agent, type IncomingMessage, request } from "node:http";
import { ApiError, type Client, createClient } from "@latchkey/sdk/client";

/** A verification may be waiting in the socket of a process that stands still; so long that it lives to be answered. */
const VERDICT_WITHIN_MS = 15_000;

/** The status of an answer; `null` when it did not come, or not all of it. */
export type Status = number | null;

/** What came of a question. */
export interface Decision {
  readonly status: Status;
  /** Whether it was decided by what was held; `null` when that was not told. */
  readonly held: boolean | null;
}

/** Asks one process over connections that stay open. */
export interface Verifying {
  authenticate(token: string): Promise<Decision>;
  /** Makes a management call that reads. */
  read(path: string, token: string): Promise<Decision>;
  close(): void;
}

const NO_ANSWER: Decision = { status: null, held: null };

/** @param url Of the process, which may come and go. */
export function createVerifying(url: string): Verifying {
  const agent = new Agent({ keepAlive: true });
  const get = (path: string, token: string): Promise<Decision> =>
    new Promise((resolve) => {
      const asked = request(
        url + path,
        { agent, timeout: VERDICT_WITHIN_MS, headers: { Authorization: `Bearer ${token}` } },
        (answer) => {
          answer.resume();
          answer.once("end", () => resolve(decisionOf(answer)));
          answer.once("error", () => resolve(NO_ANSWER));
        },
      );
      asked.once("timeout", () => asked.destroy());
      asked.once("error", () => resolve(NO_ANSWER));
      asked.once("close", () => resolve(NO_ANSWER)); // after the whole answer it changes nothing
      asked.end();
    });
  return {
    authenticate: (token) => get("/v1/authenticate", token),
    read: get,
    close: () => agent.destroy(),
  };
}

function decisionOf({ statusCode, headers }: IncomingMessage): Decision {
  const held = headers.held === undefined ? null : headers.held === "true";
  return { status: statusCode ?? null, held };
}

/**
 * Makes one management call, and gives it up after a while; the server may still carry it out.
 *
 * @param at.withinMs A whole number.
 * @returns `answer` is the JSON of a success, else `null`.
 */
export async function manage<T>(
  at: { url: string; token: string; withinMs: number },
  deed: (client: Client) => Promise<T>,
): Promise<{ status: Status; answer: T | null }> {
  let status: Status = null;
  const signal = AbortSignal.timeout(at.withinMs);
  const client = createClient({
    url: at.url,
    token: at.token,
    retries: 0, // an operation of the history is one request
    async fetch(input, init) {
      const response = await fetch(input, { ...init, signal });
      ({ status } = response);
      return response;
    },
  });
  try {
    return { answer: await deed(client), status };
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status || null, answer: null };
    if (status === null) throw error;
    return { status: null, answer: null }; // its head was here, and the rest was lost
  }
}
