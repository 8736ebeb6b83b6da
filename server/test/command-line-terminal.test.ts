import { afterAll, beforeAll, expect, test } from "vitest";
import { type Act, openStage, type Stage } from "./client-stage.ts";
import { latchkey } from "./command-line.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

/** A link that is none (OSC 8), a colour (ESC, C1), a turn (bidi), something unseen, and a line of one's own. */
const EVIL = "\u001b]8;;x\u0007\u009b31m\u202e\u2066\u200b\u007f\rY\nFORGED";
/** What a terminal obeys; line ends are ours. */
const OBEYED = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}]|\p{Cf}/u;

/** A value with every text in it replaced by one that wants to drive the terminal, and every name of metadata. */
function evil(value: unknown): unknown {
  if (typeof value === "string") return EVIL;
  if (Array.isArray(value)) return value.map(evil);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name === "any" ? EVIL : name, evil(each)]),
  );
}

const revocation = { state: "complete", took_ms: "1", acknowledged: "1", lapsed: "0" };
const overlap = { seconds: 60, started_at: "x" };
const actor = { type: "x", name: "x" };
const key = {
  ...{ id: "x", api_key: "x", hint: "x", type: "x", environment: "x", description: "x" },
  ...{ metadata: { any: "x" }, created_at: "x", created_by: actor, expires_at: "x" },
  ...{ last_used_at: "x", rotated_from: "x", rotated_to: "x", overlap: null },
  ...{ revoked_at: null, revoked_by: null, revoked_reason: null, revocation: null },
};
const revoked = { ...key, revoked_at: "x", revoked_by: actor, revoked_reason: "x", revocation };
const count = { accepted: "x", refused: "x" };
const used = {
  last_used_at: "x",
  totals: { last_24_hours: count, last_7_days: count },
  callers_last_24_hours: "x",
  callers: [{ address: "x", user_agent: "x", first_seen_at: "x", last_seen_at: "x", count: "x" }],
};
const token = { id: "x", kind: "x", name: "x", hint: "x", token: "x", created_at: "x" };
const dated = { ...token, last_used_at: "x", expires_at: "x" };
const environment = { id: "x", slug: "x", name: "x", created_at: "x" };
const keys = { public_key: "x", secret_key: "x" };
const account = { ...environment, external_id: "x", suspended_at: "x", revocation };
const entry = { at: "x", outcome: "x", api_key_id: "x", environment: "x", count: "x" };
const refusal = {
  ...{ request_id: "x", at: "x", reason: "x", status: "x", code: "x", explanation: "x" },
  ...{ address: "x", user_agent: "x", asked: { types: ["x"], environment: "x" } },
  api_key: { ...key, status: "x", revoked_reason: "x" },
};
const granted = {
  ...{ valid: true, key_id: "x", key_type: "x", account_slug: "x", account_id: "x" },
  ...{ environment: "x", metadata: { any: "x" } },
};
const refused = { valid: false, status: "x", code: "x", message: "x", request_id: "x" };
const failed = { code: "x", message: "x", request_id: "x", errors: [{ field: "x", message: "x" }] };

const change = {
  id: "evt_1",
  at: "x",
  action: "x",
  actor: { type: "x", id: "x", name: "x" },
  environment: "x",
  subject: { type: "x", id: "x", name: "x" },
  api_key: { id: "x", hint: "x", description: "x" },
  address: "x",
  user_agent: "x",
  request_id: "x",
  details: {},
};

const answer = (json: unknown, status = 200): Act => ({ status, json: evil(json) });
const page = (...entries: object[]): Act => ({
  status: 200,
  json: {
    entries: entries.map(evil),
    page_info: { after: null, before: null, page_size: 200 },
  },
});
const usage = (...entries: object[]) => answer({ from: "x", to: "x", granularity: "x", entries });

const env = () => ({
  LATCHKEY_URL: stage.url,
  LATCHKEY_SERVICE_TOKEN: `st_${"s".repeat(36)}`,
  LATCHKEY_OPERATOR_TOKEN: `ot_${"o".repeat(36)}`,
  LATCHKEY_VERIFIER_TOKEN: `vt_${"v".repeat(36)}`,
});

const IN = ["--environment", "production"];
const NAMED = ["--name", "Globex", "--slug", "globex"];
const COMMANDS: [args: string[], ...acts: Act[]][] = [
  [["keys", "list", ...IN], page(key, revoked)],
  [["keys", "create", ...IN], answer(key)],
  [["keys", "describe", "key_1"], answer(revoked), answer(used)],
  [["keys", "update", "key_1", "--description", "y"], answer(key)],
  [["keys", "rotate", "key_1", "--overlap", "0"], answer({ ...key, predecessor: revoked })],
  [["keys", "rotate", "key_1", "--overlap", "1h"], answer({ ...key, predecessor: key })],
  [
    ["keys", "rotate", "key_1", "--overlap", "2h"],
    answer({ ...key, predecessor: { ...key, overlap } }),
  ],
  [["keys", "revoke", "key_1", "--yes"], answer(revoked)],
  [["keys", "revoke", "key_1", "--yes"], answer(failed, 404)],
  [["environments", "list"], page(environment)],
  [["environments", "create", ...NAMED], answer({ ...environment, ...keys })],
  [["environments", "rename", "globex", "--name", "y"], answer(environment)],
  [["environments", "delete", "globex", "--yes"], answer({ revocation })],
  [["tokens", "list"], page(dated)],
  [["tokens", "list", "--kind", "service"], page(dated)],
  [["tokens", "create", "--name", "y"], answer(token)],
  [["tokens", "create", "--name", "y", "--kind", "service"], answer(dated)],
  [["tokens", "delete", "tok_1", "--yes"], answer({ revocation })],
  [["accounts", "list"], page(account)],
  [
    ["accounts", "create", ...NAMED],
    answer({ account, environments: [{ ...environment, ...keys }], service_token: "x" }),
  ],
  [["accounts", "update", "globex", "--name", "y"], answer(account)],
  [["accounts", "suspend", "globex", "--yes"], answer(account)],
  [["accounts", "unsuspend", "globex"], answer(account)],
  [["accounts", "delete", "globex", "--yes"], answer({ revocation })],
  [["usage"], usage()],
  [["usage", "--group-by", "key,environment"], usage(entry)],
  [["refusals", "list"], page(refusal)],
  [["refusals", "show", "req_1"], answer(refusal)],
  [["refusals", "show", "req_1", "--operator"], answer(refusal)],
  [["audit-logs", "list"], page(change)],
  [["audit-logs", "list", "--operator"], page(change)],
  [["verify"], answer(granted)],
  [["verify"], answer(refused)],
  [["whoami"], answer({ ...granted, type: "x", account_name: "x" })],
  [["environments", "list"], answer(failed, 422)],
];

test.each(COMMANDS)("latchkey %j obeys nothing that the server said", async (args, ...acts) => {
  stage.script(...acts);
  const said = await latchkey(args, { env: env(), input: "sk_key" });
  const text = said.stdout + said.stderr;
  expect(text).toContain("?]8;;x??31m");
  expect(text).not.toMatch(OBEYED);
  expect(text).not.toMatch(/^FORGED/m);
});

test("nor do the questions that are asked at a terminal", async () => {
  const asked: [string[], ...Act[]][] = [
    [["keys", "revoke", "key_1"], answer(key), answer(used)],
    [["tokens", "delete", "tok_1"], { status: 200, json: ofThisId("tok_1") }],
  ];
  for (const [args, ...acts] of asked) {
    stage.script(...acts);
    const said = await latchkey(args, { env: env(), answer: "n\n" });
    expect(said.stderr).toContain("?]8;;x??31m");
    expect(said.stderr).not.toMatch(OBEYED);
    expect(said.stderr).not.toMatch(/^FORGED/m);
    expect(said.code).toBe(1);
  }
});

const ofThisId = (id: string) => ({
  entries: [{ ...dated, name: EVIL, kind: EVIL, hint: EVIL, id }],
  page_info: { after: null, before: null, page_size: 200 },
});

test("a table for a spreadsheet keeps its lines and loses the rest", async () => {
  const text = `at,count\r\n${EVIL},1\r\n`;
  stage.script({ status: 200, text, headers: { "Content-Type": "text/csv" } });
  const { stdout } = await latchkey(["usage", "--csv"], { env: env() });
  expect(stdout).toBe("at,count\r\n?]8;;x??31m?????Y\nFORGED,1\r\n");
});

test("an exported change is one line, and says the same in escapes", async () => {
  stage.script(page(change));
  const { stdout } = await latchkey(["audit-logs", "export"], { env: env() });
  expect(stdout.trimEnd()).not.toMatch(OBEYED);
  expect(JSON.parse(stdout).actor.name).toBe(EVIL);
});

test("--json says the same in escapes", async () => {
  stage.script(page(key));
  const { stdout } = await latchkey(["keys", "list", ...IN, "--json"], { env: env() });
  expect(JSON.parse(stdout)[0].description).toBe(EVIL);
  expect(stdout).not.toMatch(OBEYED);
});

test("the stack of a failure is shown as text", async () => {
  stage.script(answer(failed, 422));
  const given = { ...env(), LATCHKEY_LOG_LEVEL: "debug" };
  const { stderr } = await latchkey(["environments", "list"], { env: given });
  expect(stderr).toMatch(/^ +at /m);
  expect(stderr).toContain("?]8;;x??31m");
  expect(stderr).not.toMatch(OBEYED);
});
