import type { IncomingMessage, ServerResponse } from "node:http";
import type { Failure } from "../failure.ts";
import type { Accepted } from "../verdict.ts";
import { createGate, type GateOptions, type Stopped } from "./gate.ts";
import { decideIncoming, stopIncoming } from "./incoming.ts";

export interface ApiKeyAuthOptions extends GateOptions<IncomingMessage> {
  /** Told when a key cannot be verified; may answer by `res`. If it does not, the caller gets the 503. */
  onFailure?(failure: Failure, req: IncomingMessage, res: ServerResponse): unknown;
}

/**
 * API keys for node:http: wraps handlers so that they run for accepted keys alone, and are told whose it is.
 *
 * @example createServer(apiKeyAuth({ verifier })((req, res, verdict) => res.end(verdict.key.account.slug)))
 * @returns The wrapper. A wrapped handler runs in the very tick of its request when the key is warm; what it returns or
 *   throws is the listener's.
 */
export function apiKeyAuth({ onFailure, ...options }: ApiKeyAuthOptions) {
  const gate = createGate(options);
  return <Req extends IncomingMessage, Res extends ServerResponse>(
    handler: (req: Req, res: Res, verdict: Accepted) => unknown,
  ): ((req: Req, res: Res) => unknown) => {
    return (req, res) => {
      const go = (passage: Accepted | Stopped): unknown =>
        passage.ok
          ? handler(req, res, passage)
          : stopIncoming(res, passage, onFailure && ((failure) => onFailure(failure, req, res)));
      const decided = decideIncoming(gate, req, req, req.socket.remoteAddress);
      return "ok" in decided ? go(decided) : decided.then(go);
    };
  };
}
