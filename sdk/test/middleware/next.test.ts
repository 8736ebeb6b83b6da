import { createServer, type RequestListener } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, vi } from "vitest";
import { emptyFolder } from "../../../test/packages/packed.ts";
import { Failure } from "../../src/failure.ts";
import { findRuntime, type Missing } from "../runtime.ts";
import { buildNextApp, NEXT_ENV, type NextApp } from "./next-app.ts";
import { testNextExample } from "./next-example.ts";
import type { AnswerInNext, Bundled } from "./next-route.ts";
import { type Guarded, testMiddleware } from "./suite.ts";

/** Long enough to download Next.js and to build with it on a slow machine. */
const BUILD_MAX_MS = 600_000;

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let built: NextApp | Missing;

beforeAll(async () => {
  folder = await emptyFolder();
  built = await buildNextApp(folder.path);
}, BUILD_MAX_MS);
afterAll(() => folder?.remove());

/** What Next.js offers to a server of somebody's own. */
type Next = (options: { dev: boolean; dir: string }) => {
  prepare(): Promise<void>;
  getRequestHandler(): RequestListener;
  close(): Promise<void>;
};

/** Tells the route which of the suite's servers a request has come to. */
const SERVED_BY = "x-served-by";

describe("in this process", () => {
  let next: ReturnType<Next> | undefined;
  let listener: RequestListener;
  const served: ReturnType<typeof inNext>[] = [];

  beforeAll(async () => {
    if ("why" in built) return;
    for (const [name, value] of Object.entries(NEXT_ENV)) vi.stubEnv(name, value);
    const dir = built.folder;
    const load: Next = createRequire(join(dir, "package.json"))("next");
    next = load({ dev: false, dir });
    await next.prepare();
    listener = next.getRequestHandler();
    const answerInNext: AnswerInNext = (bundled, request, context) => {
      const answer = served[Number(request.headers.get(SERVED_BY))];
      if (answer === undefined) throw new Error("no server of the suite");
      return answer(bundled)(request, context);
    };
    vi.stubGlobal("answerInNext", answerInNext);
  }, BUILD_MAX_MS);
  afterAll(async () => {
    await next?.close();
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
  });

  beforeEach((context) => {
    if ("why" in built) context.skip(built.why);
  });

  testMiddleware({
    name: "Next.js",
    twoHeaders: "first",
    knowsAddress: false,
    serve(guarded) {
      const at = served.push(inNext(guarded)) - 1;
      return createServer((req, res) => {
        req.headers[SERVED_BY] = `${at}`;
        return listener(req, res);
      });
    },
  });
});

/** The suite's handler behind the middleware, when Next.js has given its bundle of it. */
function inNext({ auth, handle, told }: Guarded) {
  return (bundled: Bundled) =>
    bundled.apiKeyAuth({
      ...auth,
      verifier: {
        verify(...asked) {
          const verdict = auth.verifier.verify(...asked);
          return "ok" in verdict ? verdict : verdict.catch(rethrow(bundled));
        },
      },
      async onFailure(failure) {
        const said = await told(failure);
        return said === "own" ? new Response("own", { status: 502 }) : said;
      },
    })(async (request, { verdict }) => {
      const path = new URL(request.url).pathname;
      const body = () => request.text();
      return new Response(await handle({ path, verdict: () => verdict, body }));
    });
}

/** The failures of a verifier that Next.js has bundled, as an app's own is, are of the bundle's class. */
function rethrow(bundled: Bundled) {
  return (error: unknown): never => {
    if (!(error instanceof Failure)) throw error;
    throw new bundled.Failure(error.code, error.detail, { cause: error });
  };
}

/** Next.js gives a Node without a WebSocket, as 20 is, that of `ws` under the global name. */
const RUNTIMES = [
  { name: "Node 20", find: async () => ({ path: process.execPath }) },
  { name: "Node 24", find: () => findRuntime("node@24", "node", "-e") },
];

describe.each(RUNTIMES)(
  "examples/next-route.ts under `next start` on $name:",
  { timeout: 60_000 },
  ({ find }) => testNextExample(find, () => built),
);
