import type { IncomingMessage } from "node:http";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { Failure } from "../failure.ts";
import type { Accepted } from "../verdict.ts";
import { createGate, type GateOptions, type Stopped } from "./gate.ts";
import { decideIncoming, stopIncoming } from "./incoming.ts";

export interface ApiKeyAuthOptions<Name extends string = "verdict"> extends GateOptions<Request> {
  /** Where the verdict is put: `res.locals.verdict` unless given. */
  readonly as?: Name;
  /** Told when a key cannot be verified; may answer by `res`. If it does not, the caller gets the 503. */
  onFailure?(failure: Failure, req: Request, res: Response): unknown;
}

/** A handler that fits everywhere, and whose second signature tells those after it of `res.locals`. */
type Protecting<Locals extends object> = RequestHandler &
  ((req: IncomingMessage, res: Response<unknown, Locals>, next: NextFunction) => unknown);

/**
 * API keys for Express 4 and 5: `res.locals.verdict` is the accepted verdict in all that comes after.
 *
 * In `res.locals` and not on `req`, because Express types locals handler by handler: what comes after this in a route
 * sees the verdict without asking whether it is there. A property of `req` would be declared for open routes too.
 *
 * @example app.get("/notes", apiKeyAuth({ verifier }), (req, res) => res.json(res.locals.verdict.key.account.slug))
 */
export function apiKeyAuth<const Name extends string = "verdict">(
  options: ApiKeyAuthOptions<Name>,
): Protecting<Record<Name, Accepted>>;
export function apiKeyAuth(authOptions: ApiKeyAuthOptions<string>): RequestHandler {
  const { onFailure, as: name = "verdict", ...options } = authOptions;
  const gate = createGate(options);
  return (req, res, next) => {
    const go = (passage: Accepted | Stopped): void => {
      if (passage.ok) {
        res.locals[name] = passage;
        next();
      } else
        void stopIncoming(res, passage, onFailure && ((failure) => onFailure(failure, req, res)));
    };
    const decided = decideIncoming(gate, req, req, req.ip);
    if ("ok" in decided) go(decided);
    else void decided.then(go);
  };
}
