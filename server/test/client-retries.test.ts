import { ApiError, type Client } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Act, FINE, openStage, patientClient, type Stage } from "./client-stage.ts";

const TOKEN = `st_${"x".repeat(36)}`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const patient = (options = {}) => patientClient({ url: stage.url, token: TOKEN, ...options });

/** The error that a call rejects with. */
async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw new Error("not an ApiError", { cause: error });
}

const PASSING: Act[] = [
  "lost",
  { status: 408 },
  { status: 429 },
  { status: 502, text: "<h1>Bad Gateway</h1>" },
  { status: 503 },
  { status: 504, text: "" },
  { ...FINE, cutAfter: 5 },
];

const REPEATABLE: Record<string, (client: Client) => Promise<unknown>> = {
  "reading a key": (client) => client.apiKeys.get("key_1"),
  "listing keys": (client) => client.apiKeys.list({ environment: "production" }),
  "creating a key": (client) => client.apiKeys.create("production", { type: "secret" }),
  "creating an environment": (client) => client.environments.create({ name: "A", slug: "a" }),
  "provisioning an account": (client) => client.accounts.create({ name: "A", slug: "a" }),
  "revoking a key": (client) => client.apiKeys.revoke("key_1"),
  "deleting an environment": (client) => client.environments.delete("a"),
  "deleting an account": (client) => client.accounts.delete("a"),
  "verifying a key": (client) => client.apiKeys.verify({ api_key: "sk_1" }),
};

test.each(Object.entries(REPEATABLE))(
  "%s is tried again after whatever passes",
  async (_, deed) => {
    for (const act of PASSING) {
      stage.script(act, act, FINE);
      const { client, pausesMs } = patient();
      expect(await deed(client)).toEqual({ id: "key_1" });
      expect([stage.requests.length, pausesMs.length]).toEqual([3, 2]);
      const [first, ...repeats] = stage.requests.map(({ method, url, body, headers }) => ({
        method,
        url,
        body,
        once: headers["idempotency-key"],
      }));
      for (const repeat of repeats) expect(repeat).toEqual(first);
    }
  },
);

const SINGLE: Record<string, (client: Client) => Promise<unknown>> = {
  "editing a key": (client) => client.apiKeys.update("key_1", { description: "b" }),
  "renaming an environment": (client) => client.environments.rename("a", { name: "B" }),
  "suspending an account": (client) => client.accounts.update("a", { suspended: true }),
  "signing in": (client) => client.signIn({ email: "a@example.com", password: "b" }),
  "signing out": (client) => client.signOut(),
  "setting up": (client) =>
    client.setUp({
      setup_secret: "s",
      name: "A",
      email: "a@b.c",
      password: "p",
      account: { name: "A" },
    }),
};

test.each(Object.entries(SINGLE))("%s is never tried again", async (_, deed) => {
  for (const act of PASSING) {
    stage.script(act, FINE);
    const { client, pausesMs } = patient();
    expect((await failureOf(deed(client))).tries).toBe(1);
    expect([stage.requests.length, pausesMs]).toEqual([1, []]);
  }
});

test.each([400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 501])(
  "a %i does not pass, and is not tried again",
  async (status) => {
    stage.script({ status, json: { code: "some_code" } }, FINE);
    const error = await failureOf(patient().client.apiKeys.get("key_1"));
    expect(error).toMatchObject({ status, code: "some_code", tries: 1 });
    expect(stage.requests).toHaveLength(1);
  },
);

test("the tries end, and the last failure is told", async () => {
  stage.script("lost", { status: 503 }, { status: 502 }, FINE);
  const error = await failureOf(patient().client.apiKeys.get("key_1"));
  expect(error).toMatchObject({ status: 502, tries: 3 });
  expect(stage.requests).toHaveLength(3);

  for (const [retries, tries] of [
    [0, 1],
    [1, 2],
    [10, 11],
  ] as const) {
    stage.script("lost");
    const last = await failureOf(patient({ retries }).client.apiKeys.get("key_1"));
    expect(last).toMatchObject({ status: 0, code: "unreachable", tries });
    expect(stage.requests).toHaveLength(tries);
  }
});

test("pauses double up to a bound, and chance takes from all to nothing of them", async () => {
  stage.script("lost");
  const { client, pausesMs, chance } = patient({ retries: 7 });
  for (const [random, expected] of [
    [0.5, [100, 200, 400, 800, 1_600, 2_500, 2_500]],
    [0, [0, 0, 0, 0, 0, 0, 0]],
  ] as const) {
    chance.random = random;
    await failureOf(client.apiKeys.get("key_1"));
    expect(pausesMs.splice(0)).toEqual(expected);
  }
});

test.each([
  ["seconds", { "Retry-After": "7" }, 7],
  [
    "a date, by the server's clock",
    { "Retry-After": "Tue, 03 Mar 2020 10:00:09 GMT", Date: "Tue, 03 Mar 2020 10:00:00 GMT" },
    9,
  ],
  [
    "a date that has passed",
    { "Retry-After": "Tue, 03 Mar 2020 09:00:00 GMT", Date: "Tue, 03 Mar 2020 10:00:00 GMT" },
    0,
  ],
  ["nothing", {}, undefined],
  ["nonsense", { "Retry-After": "soon" }, undefined],
])("Retry-After as %s is waited for, and chance adds to it", async (_, headers, seconds) => {
  for (const status of [429, 503]) {
    stage.script({ status, headers }, FINE);
    const { client, pausesMs } = patient();
    await client.apiKeys.get("key_1");
    expect(pausesMs).toEqual([(seconds ?? 0) * 1_000 + 100]);
    stage.script({ status, headers });
    const error = await failureOf(patient({ retries: 0 }).client.apiKeys.get("key_1"));
    expect(error.retryAfterSeconds).toBe(seconds);
  }
});

test("a date is read by this machine's clock when the server tells no time", async () => {
  const answer = new Response("{}", {
    status: 503,
    headers: { "Retry-After": "Sat, 31 Jan 2026 09:30:04 GMT" },
  });
  const error = await failureOf(patient({ retries: 0, fetch: async () => answer }).client.me());
  expect(error.retryAfterSeconds).toBe(4);
});

test("a pause that would outlast the call is not begun", async () => {
  stage.script(
    { status: 429, headers: { "Retry-After": "31" }, json: { code: "rate_limited" } },
    FINE,
  );
  const { client, pausesMs } = patient();
  const error = await failureOf(client.apiKeys.get("key_1"));
  expect(error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 31, tries: 1 });
  expect([stage.requests.length, pausesMs]).toEqual([1, []]);
});

test("each creation has a key of its own, and the caller's own key is sent as it is", async () => {
  stage.script(FINE);
  const { client } = patient();
  await client.apiKeys.create("production", { type: "secret" });
  await client.apiKeys.create("production", { type: "secret" });
  await client.apiKeys.create("production", { type: "secret" }, { idempotencyKey: "order-1" });
  expect(stage.requests.map(({ headers }) => headers["idempotency-key"])).toEqual([
    "made-1",
    "made-2",
    "order-1",
  ]);
});

test("a call whose time is up rejects, lets go of its connection and is not tried again", async () => {
  for (const [act, tries, retries] of [
    ["silence", 1, 2],
    ["silence", 1, 0],
    [{ status: 503 }, 2, 2],
  ] as const) {
    stage.script(act, "silence");
    const { client, timeIsUp } = patient({ retries });
    const failing = failureOf(client.apiKeys.get("key_1"));
    await stage.hasHeard(tries);
    timeIsUp();
    expect(await failing).toMatchObject({ status: 0, code: "timeout", tries });
    await stage.requests.at(-1)?.over;
    expect(stage.requests).toHaveLength(tries);
  }
});

test("a call has 30 s, one that waits for verifiers 90 s, and the caller may say otherwise", async () => {
  stage.script(FINE);
  const { client, limitsMs } = patient();
  await client.apiKeys.get("key_1");
  await client.apiKeys.revoke("key_1", {}, { wait: false });
  await client.apiKeys.revoke("key_1");
  await client.environments.delete("a");
  await client.accounts.update("a", { suspended: true });
  await client.accounts.delete("a", { timeoutMs: 5 });
  expect(limitsMs).toEqual([30_000, 30_000, 90_000, 90_000, 90_000, 5]);
  const hasty = patient({ timeoutMs: 1_000 });
  await hasty.client.apiKeys.revoke("key_1");
  await hasty.client.apiKeys.get("key_1", { timeoutMs: Number.POSITIVE_INFINITY });
  expect(hasty.limitsMs).toEqual([1_000, 2 ** 31 - 1]); // more would fire at once
  await expect(client.me({ timeoutMs: 0 })).rejects.toThrow(RangeError);
});

test("a call that is given up rejects with the caller's reason, wherever it was", async () => {
  const reason = new Error("no longer wanted");
  const before = AbortSignal.abort(reason);
  stage.script(FINE);
  await expect(patient().client.apiKeys.get("key_1", { signal: before })).rejects.toBe(reason);
  expect(stage.requests).toHaveLength(0);

  for (const retries of [0, 2]) {
    const during = new AbortController();
    stage.script("silence");
    const { apiKeys } = patient({ retries }).client;
    const unanswered = apiKeys.revoke("key_1", {}, { signal: during.signal });
    await stage.hasHeard(1);
    during.abort(reason);
    await expect(unanswered).rejects.toBe(reason);
    await stage.requests[0]?.over;
    expect(stage.requests).toHaveLength(1);
  }

  const pausing = new AbortController();
  stage.script({ status: 503 }, FINE);
  const { client, holdPauses } = patient();
  const begun = holdPauses();
  const paused = client.apiKeys.get("key_1", { signal: pausing.signal });
  await begun;
  pausing.abort(reason);
  await expect(paused).rejects.toBe(reason);
  expect(stage.requests).toHaveLength(1);
});

test("a delete that is tried again may find nothing there, and says so", async () => {
  stage.script("lost", { status: 404, json: { code: "resource_missing" } });
  const error = await failureOf(patient().client.environments.delete("staging"));
  expect(error).toMatchObject({ status: 404, code: "resource_missing", tries: 2 });
});

test("a creation whose repeat is answered by a replay rejects, and names what is there without its token", async () => {
  const headers = { "Idempotent-Replayed": "true" };
  const json = { id: "key_7", hint: "sk_…9fQ2" };
  stage.script("lost", { status: 201, headers, json });
  const error = await failureOf(patient().client.apiKeys.create("production", { type: "secret" }));
  expect(error).toMatchObject({ status: 201, code: "token_lost", createdId: "key_7", tries: 2 });
  expect(error.message).toContain("key_7");

  stage.script("lost", { status: 201, headers, json: { account: { id: "acc_7" } } });
  const account = await failureOf(patient().client.accounts.create({ name: "A", slug: "a" }));
  expect(account.createdId).toBe("acc_7");
});

test("with a key of one's own, what is there already is an answer", async () => {
  const own = { idempotencyKey: "order-1" };
  stage.script(FINE, { ...FINE, headers: { "Idempotent-Replayed": "true" } });
  const { client } = patient();
  const made = await client.apiKeys.create("production", { type: "secret" }, own);
  const again = await client.apiKeys.create("production", { type: "secret" }, own);
  expect([made, again]).toEqual([
    { id: "key_1", replayed: false },
    { id: "key_1", replayed: true },
  ]);
});
