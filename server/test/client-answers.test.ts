import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { ApiError, createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Act, FINE, openStage, type Stage } from "./client-stage.ts";

const TOKEN = `ot_${"Secret".repeat(6)}`;

let stage: Stage;
let elsewhere: Stage;
beforeAll(async () => {
  [stage, elsewhere] = await Promise.all([openStage(), openStage()]);
});
afterAll(() => Promise.all([stage?.close(), elsewhere?.close()]));

const impatient = (options = {}) =>
  createClient({ url: stage.url, token: TOKEN, retries: 0, ...options });

async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw new Error("not an ApiError", { cause: error });
}

test("an error of the API keeps its code, message, request id and fields", async () => {
  const errors = [{ field: "expire_at", message: "Is not a parameter of this route." }];
  stage.script({
    status: 422,
    json: { code: "invalid_params", message: "Wrong.", status: 422, request_id: "req_1", errors },
  });
  expect(await failureOf(impatient().me())).toMatchObject({
    name: "ApiError",
    status: 422,
    code: "invalid_params",
    message: "Wrong.",
    requestId: "req_1",
    errors,
    retryAfterSeconds: undefined,
    tries: 1,
    createdId: null,
  });
});

const FOREIGN: Record<string, Act> = {
  "a proxy's page": { status: 502, text: "<html>Bad Gateway</html>" },
  "JSON that says it is a page": {
    status: 400,
    json: { code: "conflict" },
    headers: { "Content-Type": "text/html" },
  },
  "broken JSON": { status: 400, text: '{"code":', headers: { "Content-Type": "application/json" } },
  "an empty body": { status: 400, text: "" },
  "JSON null": { status: 400, json: null },
  "a JSON array": { status: 400, json: [1] },
  "fields of other types": {
    status: 400,
    json: { code: 1, message: { a: 1 }, request_id: [], errors: [null, 1, { field: 1 }] },
  },
  "an endless body": { status: 400, json: { code: "conflict", pad: "x".repeat(5 * 1024 * 1024) } },
};

test.each(Object.entries(FOREIGN))("%s is an error of code unknown", async (_, act) => {
  stage.script(act);
  const error = await failureOf(impatient().me());
  const status = act === "lost" || act === "silence" ? 0 : act.status;
  expect(error).toMatchObject({
    status,
    code: "unknown",
    message: `The server answered ${status}.`,
    requestId: null,
    errors: [],
  });
});

test("the request id of an error without a body is that of its header", async () => {
  stage.script({ status: 502, text: "", headers: { "X-Request-Id": "req_2" } });
  expect((await failureOf(impatient().me())).requestId).toBe("req_2");
});

test.each([
  ["a log-in page", { status: 200, text: "<html>Log in</html>" }],
  ["broken JSON", { status: 200, text: "{", headers: { "Content-Type": "application/json" } }],
  ["nothing", { status: 204, text: "" }],
  ["an endless answer", { status: 200, json: { pad: "x".repeat(5 * 1024 * 1024) } }],
] satisfies [string, Act][])("a success that is %s is no answer of the API", async (_, act) => {
  stage.script(act);
  const { status } = act;
  expect(await failureOf(impatient().me())).toMatchObject({ status, code: "invalid_answer" });
});

test("a long answer is read whole", async () => {
  const json = { text: "ß€😀".repeat(100_000) };
  stage.script({ status: 200, json });
  expect(await impatient().me()).toEqual(json);
});

test("a redirect is not followed: the token goes to the server alone", async () => {
  elsewhere.script(FINE);
  for (const status of [301, 302, 303, 307, 308]) {
    stage.script({ status, text: "", headers: { Location: `${elsewhere.url}/v1/me` } });
    const error = await failureOf(impatient().me());
    expect(error).toMatchObject({ status, message: expect.stringContaining("redirect") });
  }
  expect(elsewhere.requests).toHaveLength(0);
});

test("a token is in no address and in no error, whatever goes wrong", async () => {
  const issued = "sk_TheTokenOfTheAnswer";
  const acts: Act[] = [
    "lost",
    ...Object.values(FOREIGN),
    { status: 201, text: `{"api_key":"${issued}`, headers: { "Content-Type": "application/json" } },
    {
      status: 201,
      text: `{"api_key":"${issued}"} x`,
      headers: { "Content-Type": "application/json" },
    },
    { status: 201, json: { id: "key_1", api_key: issued }, cutAfter: 50 },
  ];
  for (const act of acts) {
    stage.script(act);
    const error = await failureOf(impatient().apiKeys.create("production", { type: "secret" }));
    const said = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
    for (const secret of [TOKEN, issued]) expect(said).not.toContain(secret);
    for (const { url } of stage.requests) expect(url).not.toContain(TOKEN);
  }
  for (const token of [`${TOKEN}\n`, `${TOKEN}\r\nX: y`, `${TOKEN} `, `${TOKEN}é`, ""]) {
    const make = () => createClient({ url: stage.url, token });
    expect(make).toThrow(TypeError);
    expect(make).not.toThrow(TOKEN);
  }
});

test("what a client says of itself is in every request, and nothing more", async () => {
  stage.script(FINE);
  await createClient({ url: stage.url, account: "acme", userAgent: "backend/1" }).me();
  await impatient().apiKeys.revoke("key_1", { reason: "leaked" });
  const [session, token] = stage.requests;
  expect(session?.headers).toMatchObject({ "latchkey-account": "acme", "user-agent": "backend/1" });
  for (const absent of ["authorization", "content-type", "idempotency-key"])
    expect(session?.headers).not.toHaveProperty(absent);
  expect(token?.headers).toMatchObject({
    authorization: `Bearer ${TOKEN}`,
    "content-type": "application/json",
  });
  expect(token?.headers).not.toHaveProperty("latchkey-account");
  expect(token?.body).toBe('{"reason":"leaked"}');
});

test("an id cannot lead to another path", async () => {
  stage.script(FINE);
  const client = impatient();
  await client.apiKeys.get("../environments?x=1#y/%2e");
  expect(stage.requests[0]?.url).toBe("/v1/api_keys/..%2Fenvironments%3Fx%3D1%23y%2F%252e");
  for (const id of ["", ".", ".."]) {
    await expect(client.apiKeys.revoke(id)).rejects.toThrow(TypeError);
    await expect(client.environments.delete(id)).rejects.toThrow(TypeError);
  }
  expect(stage.requests).toHaveLength(1);
});

test("a base path of the server is kept, and a query is encoded", async () => {
  stage.script(FINE);
  const client = createClient({ url: `${stage.url}/keys/`, token: TOKEN });
  await client.apiKeys.list({ environment: "a&b=c", q: undefined, page_size: 3 });
  expect(stage.requests[0]?.url).toBe("/keys/v1/api_keys?environment=a%26b%3Dc&page_size=3");
});

test.each([
  "http://keys.example.com",
  "http://10.0.0.1:4400",
  "http://localhost.example.com",
  "http://127.0.0.1.example.com",
  "http://[::2]",
])("a token is not sent to %s, where everybody on the way could read it", (url) => {
  expect(() => createClient({ url, token: TOKEN })).toThrow("https://");
  expect(() => createClient({ url })).not.toThrow();
});

test.each([
  "https://keys.example.com",
  "http://localhost:4400",
  "http://127.0.0.1",
  "http://127.1:80",
  "http://[::1]:4400",
])("a token may be sent to %s", (url) => {
  expect(() => createClient({ url, token: TOKEN })).not.toThrow();
});

test.each([
  ["none, outside of a browser", {}],
  ["no URL", { url: "keys.example.com" }],
  ["another protocol", { url: "ftp://127.0.0.1" }],
  ["a password", { url: "https://ada:hunter2@keys.example.com" }],
  ["a query", { url: "https://keys.example.com/?a=hunter2" }],
])("a url that is %s is refused, and not repeated", (_, options) => {
  expect(() => createClient(options)).toThrow(TypeError);
  expect(() => createClient(options)).not.toThrow("hunter2");
});

test.each([-1, 1.5, 11, Number.NaN, Number.POSITIVE_INFINITY])(
  "%s retries are refused",
  (retries) => {
    expect(() => createClient({ url: stage.url, retries })).toThrow(RangeError);
  },
);

test("a whole list is read page by page, and no further than somebody looks", async () => {
  const page = (ids: string[], after: string | null): Act => ({
    status: 200,
    json: {
      entries: ids.map((id) => ({ id })),
      page_info: { after, before: null, page_size: 200 },
    },
  });
  const pages = [page(["a", "b"], "b"), page(["c"], "c"), page([], null)];
  const client = impatient();
  stage.script(...pages);
  const seen: string[] = [];
  for await (const { id } of client.apiKeys.all({ environment: "production", status: "all" }))
    seen.push(id);
  expect(seen).toEqual(["a", "b", "c"]);
  const asked = "/v1/api_keys?environment=production&status=all&page_size=200";
  expect(stage.requests.map(({ url }) => url)).toEqual([
    asked,
    `${asked}&after=b`,
    `${asked}&after=c`,
  ]);

  stage.script(...pages);
  for await (const { id } of client.environments.all()) if (id === "b") break;
  expect(stage.requests).toHaveLength(1);

  stage.script(page(["a"], "a"), { status: 403, json: { code: "access_denied" } });
  const failing = (async () => {
    for await (const _ of client.accounts.all());
  })();
  expect(await failureOf(failing)).toMatchObject({ code: "access_denied" });
});

test("docs/sdk.md names every method of the client, and no other", () => {
  const methods = Object.entries(impatient()).flatMap(([name, value]) =>
    typeof value === "function" ? [name] : Object.keys(value).map((method) => `${name}.${method}`),
  );
  const docs = readFileSync(new URL("../../docs/sdk.md", import.meta.url), "utf8");
  const table = /\| methods .*?\n\n/s.exec(docs)?.[0] ?? "";
  // A row is `noun`: `method`, `method`, or plain names.
  const named = [...table.matchAll(/^\| (?:`(\w+)`: )?(.*?) \|/gm)].flatMap(([, noun, rest = ""]) =>
    [...rest.matchAll(/`([\w.]+)`/g)].map(([, name]) => (noun ? `${noun}.${name}` : name)),
  );
  expect(named.toSorted()).toEqual(methods.toSorted());
});
