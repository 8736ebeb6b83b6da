import type { Context, MiddlewareHandler } from "hono";
import type { Failure } from "../failure.ts";
import type { Accepted } from "../verdict.ts";
import { stopResponse } from "./fetch.ts";
import { createGate, type GateOptions } from "./gate.ts";
import { peerAddress } from "./peer.ts";

export interface ApiKeyAuthOptions<Name extends string = "verdict"> extends GateOptions<Context> {
  /** Where the verdict is put: `c.get("verdict")` unless given. */
  readonly as?: Name;
  /** Told when a key cannot be verified; may return another `Response`. If it does not, the caller gets the 503. */
  onFailure?(failure: Failure, c: Context): unknown;
}

/**
 * API keys for Hono: `c.get("verdict")` is the accepted verdict in all that comes after.
 *
 * @example app.get("/notes", apiKeyAuth({ verifier }), (c) => c.json(c.get("verdict").key.account))
 */
export function apiKeyAuth<const Name extends string = "verdict">(
  options: ApiKeyAuthOptions<Name>,
): MiddlewareHandler<{ Variables: Record<Name, Accepted> }>;
export function apiKeyAuth({
  onFailure,
  as: name = "verdict",
  ...options
}: ApiKeyAuthOptions<string>): MiddlewareHandler {
  const gate = createGate(options);
  return async (c, next) => {
    const decided = gate({
      request: c,
      authorization: c.req.header("authorization"),
      userAgent: c.req.header("user-agent"),
      address: peerAddress(c.env, c.req.raw),
    });
    const passage = "ok" in decided ? decided : await decided;
    if (!passage.ok)
      return stopResponse(c.req.method, passage, onFailure && ((f) => onFailure(f, c)));
    c.set(name, passage);
    await next();
  };
}
