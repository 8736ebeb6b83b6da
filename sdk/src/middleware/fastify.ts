import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import type { Failure } from "../failure.ts";
import type { Accepted } from "../verdict.ts";
import { createGate, type GateOptions, outcomeOf, type Stopped } from "./gate.ts";
import { decideIncoming } from "./incoming.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The accepted verdict, where `apiKeyAuth` is registered; elsewhere `null`. */
    verdict: Accepted;
  }
}

export interface ApiKeyAuthOptions extends GateOptions<FastifyRequest> {
  /** Where the verdict is put: `request.verdict` unless given; else read it by `request.getDecorator<Accepted>(name)`. */
  readonly as?: string;
  /** Told when a key cannot be verified; may answer by `reply`. If it does not, the caller gets the 503. */
  onFailure?(failure: Failure, request: FastifyRequest, reply: FastifyReply): unknown;
}

/**
 * API keys for Fastify 5, as a plugin: `request.verdict` is the accepted verdict in every route of the scope that it is
 * registered in. It runs `onRequest`, before a body is read.
 *
 * @example await app.register(apiKeyAuth({ verifier }));
 */
export function apiKeyAuth(authOptions: ApiKeyAuthOptions): FastifyPluginCallback {
  const { onFailure, as: name = "verdict", ...options } = authOptions;
  const gate = createGate(options);

  async function stop(request: FastifyRequest, reply: FastifyReply, { answer, failure }: Stopped) {
    if (failure !== null) await outcomeOf(onFailure && (() => onFailure(failure, request, reply)));
    if (!reply.sent) reply.code(answer.status).headers(answer.headers).send(answer.body);
  }

  const plugin: FastifyPluginCallback = (app, _options, done) => {
    // Declared, so that all requests have one shape, and null, so that none begins with another's.
    if (!app.hasRequestDecorator(name)) app.decorateRequest(name, null);
    app.addHook("onRequest", (request, reply, next) => {
      const go = (passage: Accepted | Stopped): void => {
        if (!passage.ok) return void stop(request, reply, passage);
        Object.assign(request, { [name]: passage });
        next();
      };
      const decided = decideIncoming(gate, request, request.raw, request.ip);
      if ("ok" in decided) go(decided);
      else void decided.then(go);
    });
    done();
  };
  // Its hook is for the scope that registers it, not for one of its own: what fastify-plugin does.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
