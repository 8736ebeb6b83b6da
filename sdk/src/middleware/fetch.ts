import type { Failure } from "../failure.ts";
import type { Accepted } from "../verdict.ts";
import type { Answer } from "./answer.ts";
import { createGate, type GateOptions, outcomeOf, type Stopped } from "./gate.ts";
import { peerAddress } from "./peer.ts";

export interface ApiKeyAuthOptions extends GateOptions<Request> {
  /** Told when a key cannot be verified; may return another `Response`. If it does not, the caller gets the 503. */
  onFailure?(failure: Failure, request: Request): unknown;
}

type Answered = Response | Promise<Response>;

/** The second argument of a wrapped handler: what its server passes, and the verdict. */
type Verified<Context> = Context & { readonly verdict: Accepted };

/**
 * API keys for handlers that take a `Request` and return a `Response`, as in Deno and Bun: a wrapped one finds the
 * verdict beside what else its server passes in the second argument.
 *
 * @example Deno.serve(apiKeyAuth({ verifier })((request, { verdict }) => Response.json(verdict.key.account)))
 * @returns The wrapper. A wrapped handler runs in the very tick of its request when the key is warm; what it throws is
 *   the caller's.
 */
export function apiKeyAuth({ onFailure, ...options }: ApiKeyAuthOptions) {
  const gate = createGate(options);
  function protect<Context extends object = object, Req extends Request = Request>(
    handler: (request: Req, context: Verified<Context>) => Answered,
  ): (request: Req, context?: Omit<Context, "verdict">) => Answered;
  function protect(handler: (request: Request, context: Verified<object>) => Answered) {
    return (request: Request, context?: object): Answered => {
      const go = (passage: Accepted | Stopped): Answered =>
        passage.ok
          ? handler(request, { ...context, verdict: passage })
          : stopResponse(request.method, passage, onFailure && ((f) => onFailure(f, request)));
      const decided = gate({
        request,
        authorization: request.headers.get("authorization"),
        userAgent: request.headers.get("user-agent"),
        address: peerAddress(context, request),
      });
      return "ok" in decided ? go(decided) : decided.then(go);
    };
  }
  return protect;
}

/** The response to a request that goes no further, unless `onFailure` has made one. */
export async function stopResponse(
  method: string,
  { answer, failure }: Stopped,
  onFailure: ((failure: Failure) => unknown) | undefined,
): Promise<Response> {
  const own = failure && (await outcomeOf(onFailure && (() => onFailure(failure))));
  return own instanceof Response ? own : responseOf(answer, method);
}

function responseOf({ status, headers, body }: Answer, method: string): Response {
  return new Response(method === "HEAD" ? null : body, { status, headers });
}
