// app/[...path]/route.ts of the Next.js app that next.test.ts builds, and runs in its own process.
import { Failure } from "@latchkey/sdk";
import { apiKeyAuth } from "@latchkey/sdk/next";

/** The SDK as Next.js bundled it: classes of its own, which the sources that a test imports do not share. */
export interface Bundled {
  readonly apiKeyAuth: typeof apiKeyAuth;
  readonly Failure: typeof Failure;
}

/** Answers a request of the suite; the test puts it on `globalThis` as `answerInNext`. */
export type AnswerInNext = (
  bundled: Bundled,
  request: Request,
  context: object,
) => Response | Promise<Response>;

function route(request: Request, context: object): Response | Promise<Response> {
  const { answerInNext } = globalThis as unknown as { answerInNext: AnswerInNext };
  return answerInNext({ apiKeyAuth, Failure }, request, context);
}

export { route as GET, route as POST };
