import { ApiError, createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest";
import { openStage, type Stage } from "./client-stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const client = () => createClient({ url: stage.url, token: "st_1", retries: 0 });

const csvAnswer = (text: string) => ({
  status: 200,
  text,
  headers: { "Content-Type": "text/csv; charset=utf-8" },
});

async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw new Error("not an ApiError", { cause: error });
}

/** What was asked for by the only request so far. */
function heard() {
  expect(stage.requests).toHaveLength(1);
  const { pathname, searchParams } = new URL(stage.requests[0]?.url ?? "", stage.url);
  return { path: pathname, query: Object.fromEntries(searchParams) };
}

test("usage is asked for by what is named, and by nothing else", async () => {
  stage.script({ status: 200, json: { entries: [] } });
  await client().usage.read();
  expect(heard()).toEqual({ path: "/v1/usage", query: {} });

  stage.script({ status: 200, json: { entries: [] } });
  await client().usage.read({
    environment: "production",
    from: "2026-11-01T00:00:00Z",
    granularity: "day",
    group_by: ["key", "outcome"],
    api_key_ids: ["key_1", "key_2"],
    top: 5,
  });
  expect(heard().query).toEqual({
    environment: "production",
    from: "2026-11-01T00:00:00Z",
    granularity: "day",
    group_by: "key,outcome",
    api_key_ids: "key_1,key_2",
    top: "5",
  });
});

test("no groups and no keys are asked for as none, not left to the server", async () => {
  stage.script({ status: 200, json: { entries: [] } });
  await client().usage.read({ group_by: [], api_key_ids: [] });
  expect(heard().query).toEqual({ group_by: "", api_key_ids: "" });
});

test("a table comes as its text, to the last character", async () => {
  const text = `at,outcome,count\r\n${"2026-11-01T00:00:00.000Z,accepted,1\r\n".repeat(200_000)}€\r\n`;
  stage.script(csvAnswer(text));
  const table = await client().usage.csv({ granularity: "day" });
  expectTypeOf(table).toEqualTypeOf<string>();
  expect(table === text).toBe(true);
  expect(heard().query).toEqual({ format: "csv", granularity: "day" });
  expect(stage.requests[0]?.headers.accept).toContain("text/csv");
});

test("an answer that is no table is no table, and an error keeps its code", async () => {
  stage.script({ status: 200, json: { entries: [] } });
  expect((await failureOf(client().usage.csv())).code).toBe("invalid_answer");
  stage.script(csvAnswer("at,outcome,count\r\n"));
  expect((await failureOf(client().usage.read())).code).toBe("invalid_answer");
  stage.script({ status: 422, json: { code: "invalid_params", message: "Wrong." } });
  expect((await failureOf(client().usage.csv())).code).toBe("invalid_params");
});

test("half a table is an error, never a shorter table", async () => {
  stage.script({
    ...csvAnswer("at,count\r\n2026-11-01T00:00:00.000Z,1\r\n"),
    headers: { "Content-Type": "text/csv", "Transfer-Encoding": "chunked" },
    cutAfter: 20,
  });
  expect((await failureOf(client().usage.csv())).code).toBe("unreachable");
});

test("fifty thousand entries, the most of one answer, are read", async () => {
  const entry = {
    at: "2026-11-01T00:00:00.000Z",
    api_key_id: `key_${"0".repeat(32)}`,
    environment: "e".repeat(40),
    outcome: "incorrect_token_type",
    count: 1_000_000_000,
  };
  stage.script({ status: 200, json: { entries: Array(50_000).fill(entry) } });
  expect((await client().usage.read()).entries).toHaveLength(50_000);
});

test("the use of one key is asked for by its id, as JSON and as a table", async () => {
  stage.script({ status: 200, json: { callers: [] } });
  await client().apiKeys.usage("key_1", { granularity: "minute" });
  expect(heard()).toEqual({ path: "/v1/api_keys/key_1/usage", query: { granularity: "minute" } });
  stage.script(csvAnswer("at,outcome,count\r\n"));
  expect(await client().apiKeys.usageCsv("key_1")).toBe("at,outcome,count\r\n");
  expect(heard()).toEqual({ path: "/v1/api_keys/key_1/usage", query: { format: "csv" } });
});

test("refusals are listed, walked through and found by request id, the operator's apart", async () => {
  const page = (id: string, after: string | null) => ({
    status: 200,
    json: { entries: [{ request_id: id }], page_info: { after, before: null, page_size: 200 } },
  });
  stage.script(page("req_2", "cursor"), page("req_1", null));
  const ids: string[] = [];
  for await (const refusal of client().refusals.all({ reason: "revoked" }))
    ids.push(refusal.request_id);
  expect(ids).toEqual(["req_2", "req_1"]);
  expect(stage.requests.map(({ url }) => url)).toEqual([
    "/v1/refusals?reason=revoked&page_size=200",
    "/v1/refusals?reason=revoked&page_size=200&after=cursor",
  ]);

  stage.script(page("req_1", null));
  await client().refusals.list({ environment: "production", api_key_id: "key_1", page_size: 1 });
  expect(heard()).toEqual({
    path: "/v1/refusals",
    query: { environment: "production", api_key_id: "key_1", page_size: "1" },
  });
  stage.script({ status: 200, json: { request_id: "req_1" } });
  await client().refusals.get("req_1");
  expect(heard()).toEqual({ path: "/v1/refusals/req_1", query: {} });

  stage.script(page("req_1", null));
  await client().operatorRefusals.list({ reason: "unknown" });
  expect(heard()).toEqual({ path: "/v1/operator/refusals", query: { reason: "unknown" } });
  stage.script({ status: 200, json: { request_id: "req_1" } });
  await client().operatorRefusals.get("req_1");
  expect(heard()).toEqual({ path: "/v1/operator/refusals/req_1", query: {} });
});

test("the audit log is exported as the text of a file, and nothing else is taken for one", async () => {
  const text = '{"id":"evt_1"}\n{"id":"evt_0"}\n';
  const lines = { status: 200, text, headers: { "Content-Type": "application/x-ndjson" } };
  stage.script(lines);
  const search = { action: "api_key.*", from: "2026-01-01T00:00:00Z" };
  expect(await client().auditLogs.export("jsonl", search)).toBe(text);
  expect(heard()).toEqual({ path: "/v1/audit_logs", query: { ...search, format: "jsonl" } });
  expect(stage.requests[0]?.headers.accept).toContain("application/x-ndjson");
  stage.script(csvAnswer("id\r\n"));
  expect(await client().operatorAuditLogs.export("csv")).toBe("id\r\n");
  expect(heard()).toEqual({ path: "/v1/operator/audit_logs", query: { format: "csv" } });
  stage.script(lines);
  expect((await failureOf(client().auditLogs.export("csv"))).code).toBe("invalid_answer");
  stage.script({ status: 200, json: { entries: [] } });
  expect((await failureOf(client().auditLogs.export("jsonl"))).code).toBe("invalid_answer");
});
