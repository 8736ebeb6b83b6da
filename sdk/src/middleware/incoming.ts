import type { IncomingMessage, ServerResponse } from "node:http";
import { Failure } from "../failure.ts";
import type { Accepted } from "../verdict.ts";
import { answerToFailure } from "./answer.ts";
import { type Gate, outcomeOf, type Stopped } from "./gate.ts";

/**
 * Decides about a request of node:http. Node shows the first of two `Authorization` headers alone; which of them a proxy
 * in front has judged cannot be known, so such a request is a 400.
 */
export function decideIncoming<Req>(
  gate: Gate<Req>,
  request: Req,
  { headers, rawHeaders }: Pick<IncomingMessage, "headers" | "rawHeaders">,
  address: string | undefined,
): Accepted | Stopped | Promise<Accepted | Stopped> {
  const { authorization, "user-agent": userAgent } = headers;
  if (!hasTwoAuthorizations(rawHeaders))
    return gate({ request, authorization, userAgent, address });
  return { ok: false, answer: answerToFailure(TWO_AUTHORIZATIONS), failure: null };
}

const TWO_AUTHORIZATIONS = new Failure(
  "invalid_request",
  "The request has more than one Authorization header.",
);

function hasTwoAuthorizations(rawHeaders: readonly string[]): boolean {
  let found = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 13 && name.toLowerCase() === "authorization") found += 1;
  }
  return found > 1;
}

/** Answers a request that goes no further, unless `onFailure` has. */
export async function stopIncoming(
  res: ServerResponse,
  { answer, failure }: Stopped,
  onFailure: ((failure: Failure) => unknown) | undefined,
): Promise<void> {
  if (failure !== null) await outcomeOf(onFailure && (() => onFailure(failure)));
  if (res.headersSent) return; // by onFailure, or by whoever timed the request out meanwhile
  const length = Buffer.byteLength(answer.body);
  res.writeHead(answer.status, { ...answer.headers, "Content-Length": length });
  res.end(answer.body); // Node leaves it out where the method is HEAD
}
