import type { IncomingMessage, ServerResponse } from "node:http";
import { type Ask, Failure, type KeyRecord, type Verdict, type Verify } from "@latchkey/sdk/core";
import type { ClientAddress } from "./address.ts";
import { type Problem, problemOf, problemOfRefusal } from "./problem.ts";

/** The hot route, called by reverse proxies with the API key itself. */
export const AUTHENTICATE_PATH = "/v1/authenticate";

/** Distinct query strings whose parse is remembered; a deployment uses a handful. */
const ASKS_REMEMBERED = 1_000;

const TYPES: Readonly<Record<string, Ask["types"]>> = {
  secret: ["secret"],
  public: ["public"],
  any: ["secret", "public"],
};

/** An environment's slug, as environments.ts gives them out. */
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

export interface AuthenticateOptions {
  readonly verify: Verify;
  readonly clientAddress: ClientAddress;
  /** Told of everything that is not a verdict. */
  onFailure(error: unknown, requestId: string): void;
}

/** Answers one request for {@link AUTHENTICATE_PATH}. */
export type Authenticate = (req: IncomingMessage, res: ServerResponse, requestId: string) => void;

/**
 * `GET|HEAD /v1/authenticate?type=&environment=`: forward-auth for nginx, Caddy and Traefik.
 *
 * Stands in front of the framework: no routing table, no JSON, no database and no promise on a hit. 200 always carries
 * every identity header, for proxies that copy an absent header copy nonsense; refusals carry code and message as
 * headers too, because nginx drops the body of `auth_request`.
 */
export function createAuthenticate({
  verify,
  clientAddress,
  onFailure,
}: AuthenticateOptions): Authenticate {
  const asks = new Map<string, Ask | Failure>();

  function askOf(url: string): Ask | Failure {
    const known = asks.get(url);
    if (known !== undefined) return known;
    if (asks.size >= ASKS_REMEMBERED) asks.clear();
    const ask = parseAsk(url);
    asks.set(url, ask);
    return ask;
  }

  return (req, res, requestId) => {
    const answer = (verdict: Verdict): void => {
      if (verdict.ok) accept(res, verdict.key, requestId);
      else refuse(res, problemOfRefusal(verdict));
    };
    const fail = (error: unknown): void => {
      if (!(error instanceof Failure) || error.code === "verification_unavailable")
        onFailure(error, requestId);
      refuse(res, problemOf(error, requestId));
    };
    try {
      if (req.method !== "GET" && req.method !== "HEAD") throw METHOD_NOT_ALLOWED;
      const ask = askOf(req.url ?? "");
      if (ask instanceof Failure) throw ask;
      const { authorization, userAgent, forwardedFor } = readHeaders(req);
      const address = clientAddress(req.socket.remoteAddress, forwardedFor);
      const verdict = verify(authorization, ask, requestId, { address, userAgent });
      if (verdict instanceof Promise) verdict.then(answer).catch(fail);
      else answer(verdict);
    } catch (error) {
      fail(error);
    }
  };
}

const METHOD_NOT_ALLOWED = new Failure("method_not_allowed", "This route takes GET and HEAD.");

interface Headers {
  /** `null` when the request has none, or one without a Bearer scheme. */
  readonly authorization: string | null;
  readonly userAgent: string | null;
  /** Of several headers all, as one list. */
  readonly forwardedFor: string | undefined;
}

/**
 * Reads the headers that matter, in one pass and without the object of all that Node would make.
 *
 * @throws Failure `invalid_request` when there are two `Authorization`: which of them a proxy in front has judged cannot
 *   be known.
 */
function readHeaders({ rawHeaders }: IncomingMessage): Headers {
  let authorization: string | null = null;
  let userAgent: string | null = null;
  let forwardedFor: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    const value = rawHeaders[at + 1] ?? "";
    if (name === undefined) continue;
    if (name.length === 13 && name.toLowerCase() === "authorization") {
      if (authorization !== null)
        throw new Failure("invalid_request", "The request has more than one Authorization header.");
      authorization = value;
    } else if (name.length === 10 && name.toLowerCase() === "user-agent") userAgent = value;
    else if (name.length === 15 && name.toLowerCase() === "x-forwarded-for")
      forwardedFor = forwardedFor === undefined ? value : `${forwardedFor},${value}`;
  }
  const schemed = authorization?.includes(" "); // not "Bearer" alone, nor a token without its scheme
  return { authorization: schemed ? authorization : null, userAgent, forwardedFor };
}

function parseAsk(url: string): Ask | Failure {
  const search = new URLSearchParams(url.slice(AUTHENTICATE_PATH.length));
  const errors: { field: string; message: string }[] = [];
  for (const name of new Set(search.keys())) {
    if (name !== "type" && name !== "environment")
      errors.push({ field: printable(name), message: "is not known" });
    else if (search.getAll(name).length > 1)
      errors.push({ field: name, message: "is given twice" });
  }
  const types = TYPES[search.get("type") ?? "secret"];
  if (types === undefined) errors.push({ field: "type", message: "is secret, public or any" });
  const environment = search.get("environment") ?? undefined;
  if (environment !== undefined && !SLUG.test(environment))
    errors.push({ field: "environment", message: "is the slug of an environment" });
  if (errors.length > 0 || types === undefined)
    return new Failure("invalid_params", "The query of this route is wrong.", { errors });
  return environment === undefined ? { types } : { types, environment };
}

/** A name that a caller sent, cut and reduced to what may stand in a message. */
function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]|["\\]/g, "?");
}

function accept(res: ServerResponse, key: KeyRecord, requestId: string): void {
  res.writeHead(200, [
    "X-Request-Id",
    requestId,
    "X-Latchkey-Account",
    key.account.slug,
    "X-Latchkey-Account-Id",
    key.account.id,
    "X-Latchkey-Environment",
    key.environment.slug,
    "X-Latchkey-Environment-Id",
    key.environment.id,
    "X-Latchkey-Key-Id",
    key.id,
    "X-Latchkey-Key-Type",
    key.type,
    "Cache-Control",
    "no-store",
    "Content-Length",
    "0",
  ]);
  res.end();
}

/** Everything but a 200, in a form that outlives a proxy which drops bodies; the 405 names its methods. */
function refuse(res: ServerResponse, { status, headers, body }: Problem): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    ...headers,
    ...(status === 405 ? { Allow: "GET, HEAD" } : {}),
    "X-Request-Id": body.request_id,
    "X-Latchkey-Code": body.code,
    "X-Latchkey-Message": body.message,
    "Cache-Control": "no-store",
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
  });
  res.end(text);
}
