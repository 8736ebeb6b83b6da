import { createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { latchkey, type Seat } from "./command-line.ts";
import { startTestService } from "./service.ts";

let service: Awaited<ReturnType<typeof startTestService>>;
let env: Record<string, string>;
beforeAll(async () => {
  service = await startTestService();
  const { service_token, operator_token = "", verifier_token = "" } = service.provisioned;
  env = {
    LATCHKEY_URL: service.url,
    LATCHKEY_SERVICE_TOKEN: service_token,
    LATCHKEY_OPERATOR_TOKEN: operator_token,
    LATCHKEY_VERIFIER_TOKEN: verifier_token,
  };
});
afterAll(() => service?.close());

const keys = (args: readonly string[], seat: Omit<Seat, "env"> = {}) =>
  latchkey(["keys", ...args], { env, ...seat });
const api = () => createClient({ url: service.url, token: env.LATCHKEY_SERVICE_TOKEN });
const TOKEN = /^sk_[0-9A-Za-z]{36}\n$/;

async function create(
  ...options: string[]
): Promise<{ id: string; api_key: string; hint: string }> {
  const made = await keys(["create", "--environment", "production", "--json", ...options]);
  return JSON.parse(made.stdout);
}

async function accepted(token: string): Promise<boolean> {
  const headers = { Authorization: `Bearer ${token}` };
  return (await fetch(`${service.url}/v1/authenticate`, { headers })).status === 200;
}

test("a key is created: its token is alone on standard output, and nowhere else", async () => {
  const options = ["--description", "Billing", "--metadata", "plan=gold", "--metadata", "a=b=c"];
  const made = await keys([
    "create",
    "--environment",
    "production",
    "--expires-in",
    "90d",
    ...options,
  ]);
  expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(TOKEN)]);
  expect(made.stderr).not.toContain(made.stdout.trim());
  expect(made.stderr).toContain("is shown this once");
  expect(await accepted(made.stdout.trim())).toBe(true);
  const [entry] = JSON.parse(
    (await keys(["list", "--environment", "production", "--json"])).stdout,
  );
  expect(entry).toMatchObject({ description: "Billing", metadata: { plan: "gold", a: "b=c" } });
  const lifeMs = Date.parse(entry.expires_at) - Date.parse(entry.created_at);
  expect(Math.abs(lifeMs - 90 * 86_400_000)).toBeLessThan(60_000);
  expect(JSON.stringify(entry)).not.toContain(made.stdout.trim());
});

test("keys are listed for people and for programs, no more than asked for, and cut at a terminal alone", async () => {
  const { id } = await create("--description", `A very ${"long ".repeat(40)}`);
  await create();
  const list = ["list", "--environment", "production"];
  const shown = await keys(list);
  expect(shown.stdout).toMatch(
    /^ID +HINT +TYPE +DESCRIPTION +STATUS +CREATED +EXPIRES +LAST USED\n/,
  );
  expect(shown.stdout).toContain("long long long long long long long long");
  const narrow = await keys(list, { columns: 150 });
  expect(narrow.stdout).toContain("…");
  for (const line of narrow.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(150);
  const one = await keys([...list, "--limit", "1", "--json"]);
  expect(JSON.parse(one.stdout)).toHaveLength(1);
  expect(one.stderr).toContain("There are more");
  const all = await keys([...list, "--all", "--last-used", "never", "--q", id, "--json"]);
  expect(JSON.parse(all.stdout)).toMatchObject([{ id }]);
  expect(all.stderr).toBe("");
  expect((await keys(["list", "--environment", "nowhere"])).code).toBe(4);
});

test("a key is described with its callers and its end", async () => {
  const { id, api_key, hint } = await create("--description", "Described");
  await accepted(api_key);
  await expect
    .poll(async () => (await keys(["describe", id])).stdout, { timeout: 10_000 })
    .toMatch(/ADDRESS[\s\S]*127\.0\.0\.1/);
  await keys(["revoke", id, "--yes", "--reason", "leaked"]);
  const { stdout } = await keys(["describe", id]);
  expect(stdout).toContain(hint);
  for (const fact of [
    /Status +revoked/,
    /Description +Described/,
    /Reason +leaked/,
    /Receipt +Refused everywhere/,
  ])
    expect(stdout).toMatch(fact);
  const json = JSON.parse((await keys(["describe", id, "--json"])).stdout);
  expect(json).toMatchObject({ id, usage: { totals: {} }, revoked_reason: "leaked" });
});

test("a program revokes by --yes alone; keys that are there are revoked beside one that is not", async () => {
  const [one, two] = [await create(), await create()];
  const unasked = await keys(["revoke", one.id]);
  expect([unasked.code, unasked.stdout]).toEqual([2, ""]);
  expect(unasked.stderr).toContain("say --yes. Nothing was revoked.");
  expect(await accepted(one.api_key)).toBe(true);
  const some = await keys(["revoke", one.id, "key_nobody", two.id, "--yes"]);
  expect(some.code).toBe(4);
  expect(some.stdout).toMatch(
    /^key_\S+ \(sk_….{4}\): Refused everywhere after \d+ ms: 1 of 1 [\s\S]*\nkey_/,
  );
  expect(some.stderr).toContain("latchkey: key_nobody: ");
  expect([await accepted(one.api_key), await accepted(two.api_key)]).toEqual([false, false]);
  const again = await keys(["revoke", one.id, one.id, "--yes", "--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject([
    { id: one.id, revocation: { state: "effective" } },
  ]);
});

test("at a terminal whoever used the key last is shown before it is asked", async () => {
  const { id, api_key } = await create("--description", "Asked");
  await accepted(api_key);
  await expect
    .poll(async () => (await api().apiKeys.usage(id)).callers.length, { timeout: 10_000 })
    .toBe(1);
  const no = await keys(["revoke", id], { answer: "n\n" });
  expect([no.code, no.stdout]).toEqual([1, ""]);
  expect(no.stderr).toMatch(
    /"Asked" of production\n {2}Last used \d+ \w+ ago from 127\.0\.0\.1 .*; 1 times/,
  );
  expect(no.stderr).toMatch(/Revoke it for good\? \[y\/N\] .*Nothing was revoked\./);
  expect(await accepted(api_key)).toBe(true);
  const yes = await keys(["revoke", id], { answer: "y\n" });
  expect([yes.code, yes.stdout]).toEqual([0, expect.stringContaining("Refused everywhere")]);
  expect(await accepted(api_key)).toBe(false);
});

test("a key is rotated: the new token alone on standard output, the old one goes on or ends", async () => {
  const { id, api_key } = await create();
  const rotated = await keys(["rotate", id, "--overlap", "24h"]);
  expect([rotated.code, rotated.stdout]).toEqual([0, expect.stringMatching(TOKEN)]);
  expect(rotated.stderr).toMatch(/goes on for 1 day since/);
  expect([await accepted(api_key), await accepted(rotated.stdout.trim())]).toEqual([true, true]);
  const shortened = await keys(["update", id, "--overlap", "1h"]);
  expect(shortened.code).toBe(0);
  const next = JSON.parse((await keys(["describe", id, "--json"])).stdout).rotated_to;
  const ended = await keys(["rotate", next, "--overlap", "0", "--json"]);
  expect(JSON.parse(ended.stdout)).toMatchObject({ predecessor: { id: next } });
  expect(await accepted(rotated.stdout.trim())).toBe(false);
  expect(await accepted(JSON.parse(ended.stdout).api_key)).toBe(true);
});

test("a key is given another description and another end, or none", async () => {
  const { id } = await create("--expires-in", "1d");
  await keys(["update", id, "--description", "New", "--expires-at", "2031-01-01"]);
  const read = async () => JSON.parse((await keys(["describe", id, "--json"])).stdout);
  expect(await read()).toMatchObject({
    description: "New",
    expires_at: "2031-01-01T00:00:00.000Z",
  });
  await keys(["update", id, "--no-expiry"]);
  expect(await read()).toMatchObject({ description: "New", expires_at: null });
});

test("environments are made, renamed and deleted, with their keys", async () => {
  const made = await latchkey(
    ["environments", "create", "--name", "Staging", "--slug", "staging", "--json"],
    { env },
  );
  const { secret_key } = JSON.parse(made.stdout);
  expect(await accepted(secret_key)).toBe(true);
  await latchkey(["environments", "rename", "staging", "--name", "Stage"], { env });
  expect((await latchkey(["environments", "list"], { env })).stdout).toMatch(
    /^staging +Stage +env_/m,
  );
  const asked = await latchkey(["environments", "delete", "staging"], { env, answer: "no\n" });
  expect(asked.stderr).toContain("with 2 active keys for good?");
  expect(await accepted(secret_key)).toBe(true);
  const gone = await latchkey(["environments", "delete", "staging", "--yes"], { env });
  expect([gone.code, gone.stdout]).toEqual([0, expect.stringContaining("Refused everywhere")]);
  expect(await accepted(secret_key)).toBe(false);
});

test("accounts are renamed, suspended and deleted by the operator", async () => {
  const accounts = (...args: string[]) => latchkey(["accounts", ...args], { env });
  const made = await accounts("create", "--name", "Globex", "--slug", "globex", "--json");
  const token = JSON.parse(made.stdout).environments[0].secret_key;
  expect((await accounts("update", "globex", "--external-id", "cus_1")).code).toBe(0);
  expect((await accounts("suspend", "globex")).code).toBe(2);
  expect(await accepted(token)).toBe(true);
  expect((await accounts("suspend", "globex", "--yes")).stdout).toContain(
    "It is suspended. Refused",
  );
  expect(await accepted(token)).toBe(false);
  expect((await accounts("unsuspend", "globex")).stdout).toContain("It is active.");
  await expect.poll(() => accepted(token)).toBe(true);
  expect((await accounts("delete", "globex", "--yes")).code).toBe(0);
  expect(await accepted(token)).toBe(false);
  expect((await accounts("delete", "globex", "--yes")).code).toBe(4);
});

test("an account's service tokens are made with an end, listed and deleted", async () => {
  const tokens = (...args: string[]) => latchkey(["tokens", ...args, "--kind", "service"], { env });
  const made = await tokens("create", "--name", "CI", "--expires-in", "30d");
  expect(made.stdout).toMatch(/^st_[0-9A-Za-z]{36}\n$/);
  const listed = JSON.parse((await tokens("list", "--json")).stdout);
  expect(listed[0]).toMatchObject({ name: "CI" });
  expect((await tokens("list")).stdout).toMatch(/^CI +service +st_… ?\S* +tok_/m);
  expect((await tokens("delete", listed[0].id, "--yes")).code).toBe(0);
  const asCi = { ...env, LATCHKEY_SERVICE_TOKEN: made.stdout.trim() };
  expect((await latchkey(["environments", "list"], { env: asCi })).code).toBe(5);
});

test("a verdict is an exit code: accepted, refused, undecided", async () => {
  const { api_key } = await create("--metadata", "plan=gold");
  const verify = (input: string, ...args: string[]) =>
    latchkey(["verify", ...args], { env, input });
  const good = await verify(`${api_key}\n`);
  expect([good.code, good.stdout]).toEqual([
    0,
    expect.stringMatching(/^Accepted\.\n[\s\S]*plan=gold/),
  ]);
  expect(good.stdout + good.stderr).not.toContain(api_key);
  const other = await verify(api_key, "--environment", "development");
  expect([other.code, other.stdout]).toEqual([
    3,
    expect.stringMatching(/403 environment_mismatch/),
  ]);
  const unknown = await verify("sk_nonsense", "--json");
  expect([unknown.code, JSON.parse(unknown.stdout).valid]).toEqual([3, false]);
  expect((await verify("")).code).toBe(1);
  const nowhere = { ...env, LATCHKEY_URL: "http://127.0.0.1:1" };
  const undecided = await latchkey(["verify"], { env: nowhere, input: api_key });
  expect([undecided.code, undecided.stdout]).toEqual([1, ""]);
  expect(undecided.stderr).toContain("No answer from http://127.0.0.1:1.");
}, 60_000);

test("whoami tells whose the token is, of whatever kind it is", async () => {
  const who = await latchkey(["whoami"], { env });
  expect(who.stdout).toMatch(/Account +Acme \(acme\)/);
  const { api_key } = await create();
  const asKey = { LATCHKEY_URL: service.url, LATCHKEY_TOKEN: api_key };
  const key = await latchkey(["whoami", "--json"], { env: asKey });
  expect(JSON.parse(key.stdout)).toMatchObject({ type: "api_key", environment: "production" });
});

test.each([
  [["keys"], 2],
  [["keys", "lst"], 2],
  [["keys", "list"], 2],
  [["keys", "create", "--environment", "production", "--type", "other"], 2],
  [["keys", "create", "--environment", "production", "--expires-in", "soon"], 2],
  [
    [
      "keys",
      "create",
      "--environment",
      "production",
      "--expires-in",
      "1d",
      "--expires-at",
      "2031-01-01",
    ],
    2,
  ],
  [["keys", "create", "--environment", "production", "--metadata", "plan"], 2],
  [["keys", "revoke"], 2],
  [["keys", "update", "key_1"], 2],
  [["keys", "update", "key_1", "--no-expiry", "--expires-in", "1d"], 2],
  [["keys", "rotate", "key_1"], 2],
  [["keys", "describe", ".."], 1],
  [["keys", "describe", "key_nobody"], 4],
  [["verify", "sk_on_the_command_line"], 2],
  [["accounts", "update", "globex"], 2],
] satisfies [string[], number][])(
  "latchkey %j exits with %i and prints nothing",
  async (args, code) => {
    const refused = await latchkey(args, { env });
    expect([refused.code, refused.stdout]).toEqual([code, ""]);
    expect(refused.stderr).not.toBe("");
  },
);

test("a mistyped command or option is told the right one, and every help has the exit codes", async () => {
  expect((await keys(["lst"])).stderr).toContain("Did you mean list?");
  expect((await keys(["list", "--environment", "x", "--stats", "all"])).stderr).toContain(
    "Did you mean --status?",
  );
  for (const args of [["--help"], ["keys", "--help"], ["keys", "revoke", "--help"]]) {
    const help = await latchkey(args);
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/Examples?:/);
    expect(help.stdout).toMatch(/Exit codes:\n {2}0 +done/);
  }
});
