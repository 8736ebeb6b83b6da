import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Child, startChild, waitFor } from "../../../server/test/child.ts";
import { startWorld, type World } from "../../../server/test/verifiers/world.ts";
import { DOWNLOAD_MAX_MS, type Missing } from "../runtime.ts";
import { type Caller, createCaller, type Reply } from "./caller.ts";
import { NEXT_ENV, type NextApp } from "./next-app.ts";

/**
 * What the example promises to its callers, in a process of Next.js and with a real server.
 *
 * @param find Where the Node that runs Next.js is.
 */
export function testNextExample(
  find: () => Promise<{ readonly path: string } | Missing>,
  app: () => NextApp | Missing,
): void {
  let world: World;
  let next: Child;
  let caller: Caller;
  let why: string | undefined;

  beforeAll(async () => {
    const [built, node] = [app(), await find()];
    for (const one of [built, node]) if ("why" in one) why ??= one.why;
    if ("why" in built || "why" in node) return;
    world = await startWorld(10);
    next = startNext(node.path, built, world);
    caller = createCaller(await addressOf(next), 16);
  }, DOWNLOAD_MAX_MS + 60_000);
  afterAll(async () => {
    caller?.close();
    await next?.end("SIGKILL");
    await world?.stop();
  });
  beforeEach((context) => {
    if (why !== undefined) context.skip(why);
  });

  const ask = (note: string, token: string): Promise<Reply> =>
    caller.call(`/notes/${note}`, { authorization: [`Bearer ${token}`] });

  test("answers 503 while there is no server, and connects when there is one", async () => {
    const { token } = await world.issue();
    await world.terminate();
    const reply = await ask("7", token);
    await world.start();
    expect(problemOf(reply)).toMatchObject({ status: 503, code: "verification_unavailable" });
    expect(reply.headers["retry-after"]).toBe("1");
    expect(next.stderr()).toContain("No Latchkey server answered in time."); // by its onFailure
    expect(await ask("7", token)).toMatchObject({
      status: 200,
      text: JSON.stringify({ id: "7", account: "acme", environment: "production" }),
    });
  });

  test("refuses whoever sends no key with 401, and public ones with 403", async () => {
    const anonymous = await caller.call("/notes/7");
    expect(problemOf(anonymous)).toMatchObject({ status: 401, code: "authentication_required" });
    expect(anonymous.headers["www-authenticate"]).toBe("Bearer");
    const [production] = world.first.environments;
    const forbidden = await ask("7", production?.public_key ?? "");
    expect(problemOf(forbidden)).toMatchObject({ status: 403, code: "incorrect_token_type" });
    expect(forbidden.headers["www-authenticate"]).toBeUndefined();
  });

  test("of hundreds of requests at once on kept connections, each sees its own key", async () => {
    const keys = await issueInStages(world);
    const calls = Array.from({ length: 20 }, () => keys).flat();
    const answers = calls.map(async ({ token, environment }, at) => {
      const { status, text } = await ask(`${at}`, token);
      const own = { id: `${at}`, account: "acme", environment };
      expect({ status, text }).toEqual({ status: 200, text: JSON.stringify(own) });
    });
    await Promise.all(answers);
    expect(caller.connections).toBe(16);
  });

  test("refuses a key as soon as the call that revoked it has returned", async () => {
    const [revoked, kept] = [await world.issue(), await world.issue()];
    for (const { token } of [revoked, kept]) expect((await ask("7", token)).status).toBe(200);
    const { revocation } = await world.client.apiKeys.revoke(revoked.id);
    expect(revocation).toMatchObject({ acknowledged: 2, lapsed: 0 });
    const reply = await ask("7", revoked.token);
    expect(problemOf(reply)).toMatchObject({ status: 401, code: "api_key_missing" });
    expect((await ask("7", kept.token)).status).toBe(200);
  });

  test("ends when asked to, though its verifier is connected", async () => {
    caller.close();
    expect((await next.end("SIGTERM")).signal).toBeNull(); // by itself
  });
}

/** Some secret keys in each of some environments, in turn. */
async function issueInStages({ client }: World): Promise<{ token: string; environment: string }[]> {
  const slugs = Array.from({ length: 8 }, (_, at) => `stage-${at}`);
  for (const slug of slugs) await client.environments.create({ name: slug, slug });
  const issued = Array.from({ length: 4 }, () => slugs)
    .flat()
    .map(async (environment) => {
      const { api_key } = await client.apiKeys.create(environment, { type: "secret" });
      return { token: api_key ?? "", environment };
    });
  return Promise.all(issued);
}

function startNext(node: string, { folder, program }: NextApp, { url, first }: World): Child {
  return startChild(node, [program, "start", "-H", "127.0.0.1", "-p", "0"], {
    cwd: folder,
    env: { ...NEXT_ENV, LATCHKEY_URL: url, LATCHKEY_VERIFIER_TOKEN: first.verifier_token },
  });
}

function addressOf(next: Child): Promise<string> {
  return waitFor(
    "Next.js to listen",
    () => {
      if (next.hasEnded()) throw new Error(`Next.js ended:\n${next.stderr()}`);
      return /Local: +(http:\S+)/.exec(next.stdout())?.[1];
    },
    { withinMs: 60_000 },
  );
}

/** The body of an answer that is none of the handler's, which goes with its headers. */
function problemOf({ status, headers, text }: Reply): { status: number; code: string } {
  const body: { status: number; code: string; request_id: string } = JSON.parse(text);
  expect(body.status).toBe(status);
  expect(body.request_id).toBe(headers["x-request-id"]);
  expect(headers["content-type"]).toBe("application/json");
  expect(headers["cache-control"]).toBe("no-store");
  return body;
}
