import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Act, openStage, type Stage } from "./client-stage.ts";
import { latchkey } from "./command-line.ts";
import { temporaryFolder } from "./real-server.ts";

const SERVICE = `st_${"s".repeat(36)}`;
const OPERATOR = `ot_${"o".repeat(36)}`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

let home: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: home, remove } = await temporaryFolder());
});
afterEach(() => remove());

const file = () => join(home, "latchkey", "config.json");

/** Runs a command whose configuration is in the folder of this test. */
const run = (args: readonly string[], given: Record<string, string> = {}, input = "") =>
  latchkey(args, { env: { XDG_CONFIG_HOME: home, ...given }, input });

const page: Act = {
  status: 200,
  json: { entries: [], page_info: { after: null, before: null, page_size: 200 } },
};

/** Which token a command sent; `undefined` when it asked nothing. */
async function sent(args: readonly string[], given: Record<string, string> = {}) {
  stage.script(page);
  const ran = await run(args, given);
  return { ...ran, token: stage.requests[0]?.headers.authorization?.replace("Bearer ", "") };
}

const LIST = ["environments", "list"];

test("what is remembered is used: the server, and of the tokens the one that the command needs", async () => {
  expect((await run(["config", "set", "url", stage.url])).code).toBe(0);
  expect((await run(["config", "set", "token"], {}, `${SERVICE}\n`)).code).toBe(0);
  expect((await run(["config", "set", "token"], {}, OPERATOR)).code).toBe(0);
  expect((await sent(LIST)).token).toBe(SERVICE);
  expect((await sent(["accounts", "list"])).token).toBe(OPERATOR);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, "latchkey")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(home, "latchkey"))).toEqual(["config.json"]);
  expect((await run(["config", "path"])).stdout).toBe(`${file()}\n`);
});

test("of tokens only the end is shown, whatever asks", async () => {
  await run(["config", "set", "token"], {}, SERVICE);
  const shown = await run(["config", "show"]);
  expect(shown.stdout).toMatch(/url +http:\/\/127\.0\.0\.1:4400\nservice_token +st_…ssss\n/);
  const json = await run(["config", "show", "--json"]);
  expect(JSON.parse(json.stdout).service_token).toBe("st_…ssss");
  for (const said of [shown, json]) expect(said.stdout + said.stderr).not.toContain(SERVICE);
  await run(["config", "unset", "service_token"]);
  expect((await run(["config", "show"])).stdout).not.toContain("service_token");
});

test("the environment comes first, and LATCHKEY_TOKEN is whatever its prefix says", async () => {
  await run(["config", "set", "url", stage.url]);
  await run(["config", "set", "token"], {}, SERVICE);
  const named = `st_${"n".repeat(36)}`;
  const any = `st_${"a".repeat(36)}`;
  expect((await sent(LIST, { LATCHKEY_TOKEN: any })).token).toBe(any);
  const both = { LATCHKEY_TOKEN: any, LATCHKEY_SERVICE_TOKEN: named };
  expect((await sent(LIST, both)).token).toBe(named);
  expect((await sent(LIST, { LATCHKEY_TOKEN: OPERATOR })).token).toBe(SERVICE);
  const other = await sent(["accounts", "list"], { LATCHKEY_TOKEN: any });
  expect([other.code, other.token]).toEqual([1, undefined]);
  expect(other.stderr).toContain("LATCHKEY_OPERATOR_TOKEN is not set");
  expect(other.stderr).toContain("LATCHKEY_TOKEN holds the service token.");
  expect(other.stderr).not.toContain(any);
});

test("a remembered token goes to its own server, and to no other", async () => {
  await run(["config", "set", "url", "https://keys.example.com"]);
  await run(["config", "set", "token"], {}, SERVICE);
  const elsewhere = await sent(LIST, { LATCHKEY_URL: stage.url });
  expect([elsewhere.code, elsewhere.token]).toEqual([1, undefined]);
  await run(["config", "set", "url", stage.url]);
  expect((await sent(LIST)).token).toBeUndefined();
});

test("a token goes with the URL that it was remembered for, and that is said", async () => {
  await run(["config", "set", "url", stage.url]);
  await run(["config", "set", "token"], {}, SERVICE);
  await run(["config", "set", "token"], {}, OPERATOR);
  expect((await run(["config", "set", "url", `${stage.url}/`])).stderr).not.toContain("Forgot");
  expect((await sent(LIST)).token).toBe(SERVICE);
  const forgot = `Forgot what was for ${stage.url}: service token, operator token.\n`;
  const unset = await run(["config", "unset", "url"]);
  expect(unset).toEqual({ code: 0, stdout: "", stderr: forgot });
  expect(readFileSync(file(), "utf8")).toBe("{}\n");
  const without = await sent(LIST, { LATCHKEY_URL: stage.url });
  expect([without.code, without.token]).toEqual([1, undefined]);
  expect((await run(LIST)).stderr).toContain("LATCHKEY_SERVICE_TOKEN is not set");

  await run(["config", "set", "url", stage.url]);
  await run(["config", "set", "token"], {}, OPERATOR);
  const other = await run(["config", "set", "url", "https://keys.example.com"]);
  expect(other.stderr).toContain(`Forgot what was for ${stage.url}: operator token.\n`);
  await run(["config", "set", "url", stage.url]);
  expect((await sent(["accounts", "list"])).token).toBeUndefined();
});

test("a token is remembered for the server in force, and for no other", async () => {
  const elsewhere = { LATCHKEY_URL: "https://other.example.com" };
  await run(["config", "set", "token"], { LATCHKEY_URL: `${stage.url}/` }, SERVICE);
  expect((await sent(LIST)).token).toBe(SERVICE);
  const before = readFileSync(file(), "utf8");
  const refused = await run(["config", "set", "token"], elsewhere, OPERATOR);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain(`is https://other.example.com, but what is remembered is for`);
  expect(readFileSync(file(), "utf8")).toBe(before);
  for (const LATCHKEY_URL of ["nowhere", "http://keys.example.com"]) {
    const readable = await run(["config", "set", "token"], { LATCHKEY_URL }, OPERATOR);
    expect([readable.code, readable.stdout]).toEqual([1, ""]);
    expect(readable.stderr).toContain("latchkey: LATCHKEY_URL ");
  }
  expect(readFileSync(file(), "utf8")).toBe(before);
});

test.each([0o644, 0o640, 0o604, 0o660])(
  "a file of mode %o is not used, and told what to do",
  async (mode) => {
    await run(["config", "set", "url", stage.url]);
    await run(["config", "set", "token"], {}, SERVICE);
    chmodSync(file(), mode);
    const refused = await sent(LIST);
    expect([refused.code, refused.token, refused.stdout]).toEqual([1, undefined, ""]);
    expect(refused.stderr).toContain(`chmod 600 ${file()}`);
    chmodSync(file(), 0o600);
    expect((await sent(LIST)).token).toBe(SERVICE);
  },
);

test.each(["", "{", "[]", '{"url":1}', '{"token":"st_x"}', '{"service_token":"st_x"}', "null"])(
  "a file that holds %j is not understood",
  async (text) => {
    mkdirSync(join(home, "latchkey"));
    writeFileSync(file(), text, { mode: 0o600 });
    const refused = await sent(LIST);
    expect([refused.code, refused.token]).toEqual([1, undefined]);
    expect(refused.stderr).toContain("is not understood");
  },
);

test.each(["", "sk_key", "st_", "no token", "st_a b", "st_\n\nx"])(
  "%j is not remembered as a token",
  async (input) => {
    const refused = await run(["config", "set", "token"], {}, input);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(() => readFileSync(file())).toThrow("ENOENT");
  },
);

test("a token is never an argument, a URL is one, and without a home nothing is remembered", async () => {
  expect((await run(["config", "set", "token", SERVICE])).code).toBe(2);
  expect((await run(["config", "set", "url", "keys.example.com"])).code).toBe(2);
  expect((await run(["config", "unset", "everything"])).code).toBe(2);
  const homeless = await latchkey(["config", "set", "url", stage.url], { env: {} });
  expect(homeless.code).toBe(1);
  expect((await latchkey(["config", "show"], { env: {} })).code).toBe(0);
});
