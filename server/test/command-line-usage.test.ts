import { afterAll, beforeAll, expect, test } from "vitest";
import { type Act, openStage, type Stage } from "./client-stage.ts";
import { latchkey as run, type Seat } from "./command-line.ts";
import { startTestService } from "./service.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const TOKENS = { LATCHKEY_SERVICE_TOKEN: "st_account", LATCHKEY_OPERATOR_TOKEN: "ot_operator" };

/** Runs a command to its end, off a terminal, against a server that plays these acts. */
async function latchkey(
  args: readonly string[],
  acts: readonly Act[],
  env: Record<string, string> = TOKENS,
  seat: Seat = {},
) {
  stage.script(...acts);
  return run(args, { env: { LATCHKEY_URL: stage.url, ...env }, ...seat });
}

const usage = (granularity: string, entries: object[]): Act => ({
  status: 200,
  json: {
    from: "2026-01-30T09:00:00.000Z",
    to: "2026-01-31T09:30:00.123Z",
    granularity,
    entries,
  },
});

/** Path and parameters of the only request. */
function heard() {
  expect(stage.requests).toHaveLength(1);
  const [request] = stage.requests;
  const { pathname, searchParams } = new URL(request?.url ?? "", stage.url);
  const token = request?.headers.authorization?.replace("Bearer ", "");
  return { path: pathname, query: Object.fromEntries(searchParams), token };
}

test("usage is a table with a column for each outcome, and sums", async () => {
  const one = { at: "2026-01-31T08:00:00.000Z" };
  const two = { at: "2026-01-31T09:00:00.000Z" };
  const shown = await latchkey(
    ["usage"],
    [
      usage("hour", [
        { ...one, outcome: "accepted", count: 1_200 },
        { ...one, outcome: "revoked", count: 3 },
        { ...two, outcome: "accepted", count: 40 },
      ]),
    ],
  );
  expect(shown).toEqual({
    code: 0,
    stderr: "",
    stdout: [
      "TIME (UTC)        ACCEPTED  REVOKED  EXPIRED  WRONG TYPE  WRONG ENVIRONMENT   ALL",
      "2026-01-31 08:00      1200        3        0           0                  0  1203",
      "2026-01-31 09:00        40        0        0           0                  0    40",
      "TOTAL                 1240        3        0           0                  0  1243",
      "",
    ].join("\n"),
  });
  expect(heard()).toEqual({
    path: "/v1/usage",
    query: { group_by: "outcome" },
    token: "st_account",
  });
});

test("usage by key and environment has a row for each, and one for all others", async () => {
  const at = "2026-01-31T00:00:00.000Z";
  const options = ["--granularity", "day", "--group-by", "key,environment", "--top", "1"];
  const { stdout } = await latchkey(
    ["usage", ...options],
    [
      usage("day", [
        { at, api_key_id: "key_1", environment: "production", count: 7 },
        { at, api_key_id: null, environment: "production", count: 12 },
      ]),
    ],
  );
  expect(stdout).toBe(
    [
      "TIME (UTC)  API KEY       ENVIRONMENT  VERIFICATIONS",
      "2026-01-31  key_1         production               7",
      "2026-01-31  (all others)  production              12",
      "TOTAL                                             19",
      "",
    ].join("\n"),
  );
  expect(heard().query).toEqual({ granularity: "day", group_by: "key,environment", top: "1" });
});

test("usage asks for what its options say; a date is its first moment in UTC", async () => {
  const options = "--environment staging --from 2026-01-01 --to 2026-01-02T03:04:05Z";
  const keys = "--api-key key_1 --api-key key_2";
  const { code, stdout } = await latchkey(
    ["usage", ...options.split(" "), ...keys.split(" ")],
    [usage("hour", [])],
  );
  expect([code, stdout]).toEqual([
    0,
    "No key was verified from 2026-01-30T09:00:00.000Z to 2026-01-31T09:30:00.123Z.\n",
  ]);
  expect(heard().query).toEqual({
    environment: "staging",
    from: "2026-01-01T00:00:00.000Z",
    to: "2026-01-02T03:04:05.000Z",
    group_by: "outcome",
    api_key_ids: "key_1,key_2",
  });
});

test("at a terminal a line of bars shows how it went, as wide as that is", async () => {
  const entries = [
    { at: "2026-01-30T09:00:00.000Z", outcome: "accepted", count: 1 },
    { at: "2026-01-31T09:00:00.000Z", outcome: "accepted", count: 8 },
  ];
  const wide = await latchkey(["usage"], [usage("hour", entries)], TOKENS, { columns: 120 });
  expect(wide.stdout.split("\n")[0]).toBe(`▁${" ".repeat(23)}█`);
  const narrow = await latchkey(["usage"], [usage("hour", entries)], TOKENS, { columns: 13 });
  expect(narrow.stdout.split("\n")[0]).toBe(`▁${" ".repeat(11)}█`);
});

test("a program gets usage as it came: one JSON document, or the table", async () => {
  const act = usage("hour", [{ at: "2026-01-31T08:00:00.000Z", outcome: "accepted", count: 1 }]);
  const { stdout } = await latchkey(["usage", "--json"], [act]);
  expect(JSON.parse(stdout)).toEqual(act === "lost" || act === "silence" ? "" : act.json);
  const text = "at,count\r\n2026-01-31T08:00:00.000Z,1\r\n";
  const table = { status: 200, text, headers: { "Content-Type": "text/csv" } };
  expect(await latchkey(["usage", "--csv"], [table])).toEqual({
    code: 0,
    stdout: text,
    stderr: "",
  });
  expect(heard().query).toEqual({ format: "csv", group_by: "outcome" });
});

const key = {
  id: "key_1",
  hint: "sk_…9fQ2",
  type: "secret",
  description: "Billing\u001b[31m",
  environment: "production",
  status: "revoked",
  revoked_reason: "leaked",
};
const refusal = {
  request_id: "req_1",
  at: "2026-01-31T09:30:00.123Z",
  reason: "revoked",
  status: 401,
  code: "api_key_missing",
  explanation: "This API key was revoked by Ada\u0007; this request came 1 day later.",
  address: "203.0.113.7",
  user_agent: "curl/8.5.0",
  asked: { types: ["secret"], environment: null },
  api_key: key,
  late_by_ms: 86_400_000,
};
const page = (entries: object[], after: string | null = null): Act => ({
  status: 200,
  json: { entries, page_info: { after, before: null, page_size: 200 } },
});

test("a refusal is told in a sentence, with what belongs to it, and nothing that a terminal obeys", async () => {
  const shown = await latchkey(["refusals", "show", "req_1"], [{ status: 200, json: refusal }]);
  expect(shown).toEqual({
    code: 0,
    stderr: "",
    stdout: [
      "This API key was revoked by Ada?; this request came 1 day later.",
      "",
      "Request id       req_1",
      "Time (UTC)       2026-01-31 09:30:00",
      "Caller was told  401 api_key_missing",
      "Checked for      secret, any environment",
      "From             203.0.113.7, curl/8.5.0",
      "API key          sk_…9fQ2, key_1, production, now revoked",
      "Description      Billing?[31m",
      "Reason given     leaked",
      "",
    ].join("\n"),
  });
  expect(heard()).toEqual({ path: "/v1/refusals/req_1", query: {}, token: "st_account" });
});

test("the operator looks up what belongs to no account, with another token", async () => {
  const json = { ...refusal, reason: "unknown", address: null, user_agent: null, api_key: null };
  const act = { status: 200, json };
  const { stdout } = await latchkey(["refusals", "show", "req_1", "--operator"], [act]);
  expect(stdout).toContain("From             unknown\n");
  expect(stdout).not.toContain("API key  ");
  expect(heard()).toEqual({ path: "/v1/operator/refusals/req_1", query: {}, token: "ot_operator" });
  const asked = ["refusals", "list", "--operator", "--reason", "unknown", "--json"];
  const listed = await latchkey(asked, [page([json])]);
  expect(JSON.parse(listed.stdout)).toEqual([json]);
  expect(heard()).toMatchObject({ path: "/v1/operator/refusals", query: { reason: "unknown" } });
});

test("refusals are listed, the newest first, and no more than asked for", async () => {
  const acts = [page([refusal, { ...refusal, request_id: "req_0", api_key: null, address: null }])];
  const filter = ["--environment", "production", "--api-key", "key_1", "--reason", "revoked"];
  const listed = await latchkey(["refusals", "list", ...filter], acts);
  expect(listed.stdout).toBe(
    [
      "TIME (UTC)           REASON   API KEY   ADDRESS      REQUEST ID",
      "2026-01-31 09:30:00  revoked  sk_…9fQ2  203.0.113.7  req_1",
      "2026-01-31 09:30:00  revoked  -         -            req_0",
      "",
    ].join("\n"),
  );
  expect(heard().query).toMatchObject({
    environment: "production",
    api_key_id: "key_1",
    reason: "revoked",
  });
  const few = await latchkey(
    ["refusals", "list", "--limit", "1", "--json"],
    [page([refusal, refusal], "req_1")],
  );
  expect(JSON.parse(few.stdout)).toHaveLength(1);
  expect(stage.requests).toHaveLength(1);
  const none = await latchkey(["refusals", "list"], [page([])]);
  expect(none.stdout).toBe("There are no refusals.\n");
});

const change = {
  id: "evt_1",
  at: "2026-01-31T09:30:00.123Z",
  action: "api_key.revoked",
  actor: { type: "person", id: "per_1", name: "Ada Lovelace" },
  environment: "production",
  subject: { type: "api_key", id: "key_1", name: "Checkout" },
  api_key: { id: "key_1", hint: "sk_…9fQ2", description: "Checkout" },
  address: "203.0.113.7",
  user_agent: "curl/8.5.0",
  request_id: "req_1",
  details: { reason: "Leaked" },
};

const settings = {
  ...change,
  id: "evt_0",
  action: "account.updated",
  environment: null,
  subject: { type: "account", id: "acc_1", name: null },
  api_key: null,
  address: null,
};

test("changes are listed, the newest first, by what is asked for", async () => {
  const filter = ["--actor", "per_1", "--action", "api_key.*", "--api-key", "key_1"];
  const when = ["--from", "2026-01-01", "--to", "2026-02-01"];
  const listed = await latchkey(
    ["audit-logs", "list", ...filter, ...when],
    [page([change, settings])],
  );
  expect(listed.stdout).toBe(
    [
      "TIME (UTC)           WHO           ACTION           WHAT               ENVIRONMENT  ADDRESS",
      "2026-01-31 09:30:00  Ada Lovelace  api_key.revoked  sk_…9fQ2 Checkout  production   203.0.113.7",
      "2026-01-31 09:30:00  Ada Lovelace  account.updated  acc_1              -            -",
      "",
    ].join("\n"),
  );
  expect(heard()).toMatchObject({
    path: "/v1/audit_logs",
    query: {
      actor: "per_1",
      action: "api_key.*",
      api_key_id: "key_1",
      from: "2026-01-01T00:00:00.000Z",
      to: "2026-02-01T00:00:00.000Z",
    },
    token: "st_account",
  });
  const none = await latchkey(["audit-logs", "list", "--operator"], [page([])]);
  expect(none.stdout).toBe("There are no such changes.\n");
  expect(heard()).toMatchObject({ path: "/v1/operator/audit_logs", token: "ot_operator" });
});

test("changes are exported page by page as lines, or as the server's table", async () => {
  const lines = await latchkey(
    ["audit-logs", "export", "--subject", "key_1"],
    [page([change], "evt_1"), page([settings])],
  );
  expect(
    lines.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([change, settings]);
  expect(
    stage.requests.map(({ url }) => new URL(url, stage.url).searchParams.get("after")),
  ).toEqual([null, "evt_1"]);
  const text = "id,at\r\nevt_1,now\r\n";
  const table = await latchkey(
    ["audit-logs", "export", "--format", "csv"],
    [{ status: 200, text, headers: { "Content-Type": "text/csv" } }],
  );
  expect(table.stdout).toBe(text);
  expect(heard()).toMatchObject({ path: "/v1/audit_logs", query: { format: "csv" } });
});

test.each([
  [["usage", "--granularity", "week"], 2],
  [["usage", "--group-by", "keys"], 2],
  [["usage", "--group-by", ""], 2],
  [["usage", "--top", "many"], 2],
  [["usage", "--csv", "--json"], 2],
  [["usage", "--csv", "--top", "3"], 2],
  [["usage", "now"], 2],
  [["refusals", "show"], 2],
  [["refusals", "show", ".."], 1],
  [["refusals", "list", "--reason", "accepted"], 2],
  [["refusals", "list", "--limit", "0"], 2],
  [["refusals", "list", "--reason", "unknown"], 2],
  [["refusals", "list", "--operator", "--reason", "revoked"], 2],
  [["audit-logs"], 2],
  [["audit-logs", "list", "--operator", "--api-key", "key_1"], 2],
  [["audit-logs", "list", "--from", "yesterday"], 2],
  [["audit-logs", "export", "--format", "xml"], 2],
  [["usage", "--from", "yesterday"], 2],
  [["refusals", "list", "--operator", "--environment", "production"], 2],
] satisfies [string[], number][])(
  "latchkey %j exits with %i and asks nothing",
  async (args, code) => {
    const refused = await latchkey(args, [page([])]);
    expect([refused.code, refused.stdout]).toEqual([code, ""]);
    expect(refused.stderr).not.toBe("");
    expect(stage.requests).toHaveLength(0);
  },
);

test.each([
  [["usage"], "LATCHKEY_SERVICE_TOKEN"],
  [["refusals", "list"], "LATCHKEY_SERVICE_TOKEN"],
  [["refusals", "show", "req_1", "--operator"], "LATCHKEY_OPERATOR_TOKEN"],
])("latchkey %j without its token names the variable", async (args, variable) => {
  const env = Object.fromEntries(Object.entries(TOKENS).filter(([name]) => name !== variable));
  const refused = await latchkey(args, [page([])], env);
  expect([refused.code, refused.stdout, stage.requests.length]).toEqual([1, "", 0]);
  expect(refused.stderr).toContain(`${variable} is not set`);
});

test("what a real server counted and refused is shown, by the request id that the caller got", async () => {
  const service = await startTestService();
  try {
    const { service_token, operator_token = "", environments } = service.provisioned;
    const tokens = {
      LATCHKEY_URL: service.url,
      LATCHKEY_SERVICE_TOKEN: service_token,
      LATCHKEY_OPERATOR_TOKEN: operator_token,
    };
    const authenticate = (key = "", query = "") =>
      fetch(`${service.url}/v1/authenticate${query}`, {
        headers: { Authorization: `Bearer ${key}` },
      });
    const { slug, secret_key } = environments[0] ?? { slug: "" };
    await authenticate(secret_key);
    const refused = await authenticate(secret_key, "?environment=elsewhere");
    const unknown = await authenticate("sk_nonsense");
    expect([refused.status, unknown.status]).toEqual([403, 401]);
    const ask = (...args: string[]) => latchkey(args, [], tokens);
    await expect
      .poll(async () => (await ask("usage", "--granularity", "day")).stdout, { timeout: 10_000 })
      .toMatch(/^TOTAL +1 +0 +0 +0 +1 +2$/m);
    const table = await ask("usage", "--csv", "--group-by", "outcome,environment");
    expect(table.stdout).toContain(`,${slug},environment_mismatch,1\r\n`);
    const id = refused.headers.get("X-Request-Id") ?? "";
    const shown = await ask("refusals", "show", id);
    expect(shown.stdout).toContain(`belongs to the environment ${slug}, and`);
    expect((await ask("refusals", "list")).stdout).toMatch(new RegExp(`127\\.0\\.0\\.1 +${id}\n`));
    const other = unknown.headers.get("X-Request-Id") ?? "";
    expect((await ask("refusals", "show", other)).stderr).toContain("There is no such refusal.");
    await expect
      .poll(async () => (await ask("refusals", "show", other, "--operator")).stdout, {
        timeout: 10_000,
      })
      .toContain("its form or its checksum is wrong");
  } finally {
    await service.close();
  }
});

test("a token goes to https or to this machine, and nowhere else", async () => {
  const env = { ...TOKENS, LATCHKEY_URL: "http://keys.example.com" };
  const refused = await latchkey(["usage"], [page([])], env);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("the service token travels to keys.example.com");
});

test("what the server refuses is told with its fields and its request id", async () => {
  const errors = [{ field: "from", message: "Must lie before to." }];
  const json = { code: "invalid_params", message: "Wrong.", request_id: "req_9", errors };
  const refused = await latchkey(["usage", "--csv"], [{ status: 422, json }]);
  expect(refused).toEqual({
    code: 1,
    stdout: "",
    stderr: "latchkey: Wrong.\n  from: Must lie before to.\n  Request id: req_9\n",
  });
});
