import type { Logger } from "pino";
import type { HttpBindings } from "./front.ts";
import type { SignIn } from "./sign-in.ts";

/** The route that the dashboard asks first, whenever somebody opens it. */
const ASKED_FIRST = "/v1/me";

interface Fetches {
  fetch(request: Request, from: HttpBindings): Promise<Response>;
}

/**
 * Lets a session that is in use outlive its week: when the dashboard asks who is signed in, a session whose last use
 * is a day old is renewed, and its cookie with it. Every other route only reads sessions.
 */
export function renewSessions(
  app: Fetches,
  deps: { readonly signIn: Pick<SignIn, "renew">; readonly logger: Logger },
): Fetches {
  return {
    async fetch(request, from) {
      const response = await app.fetch(request, from);
      if (new URL(request.url).pathname !== ASKED_FIRST || !response.ok) return response;
      try {
        for (const cookie of await deps.signIn.renew(request.headers))
          response.headers.append("Set-Cookie", cookie);
      } catch (err) {
        deps.logger.error({ err, requestId: from.requestId }, "a session was not renewed");
      }
      return response;
    },
  };
}
