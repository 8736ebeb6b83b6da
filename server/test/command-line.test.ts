import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { waitFor } from "./child.ts";
import {
  OWNER,
  type ServerEnv,
  setUp,
  startLatchkey,
  startServer,
  temporaryFolder,
} from "./real-server.ts";

const BINARY = fileURLToPath(new URL("../bin/latchkey.js", import.meta.url));

const SETUP = ["setup", "--email", "Ada@Example.com", "--name", "Ada", "--account", "Acme"];
const PIPED = [...SETUP, "--password-stdin", "--json"];
const ANY_TOKEN = /\b(?:sk|pk|st|vt|ot)_[0-9A-Za-z]{36}\b/;

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  undo.push(remove);
  return path;
}

/** Runs a command to its end. */
async function run(args: readonly string[], env: ServerEnv = {}, input = "") {
  const child = startLatchkey(args, env, input);
  const { code } = await child.ended;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

test("--help names every command, exit code and example", async () => {
  const { code, stdout, stderr } = await run(["--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  for (const said of ["serve", "setup", "accounts", "LATCHKEY_URL", "Examples:", "Exit codes:"])
    expect(stdout).toContain(said);
  expect(stdout).toContain("Without a command it serves.");

  const accounts = await run(["accounts", "--help"]);
  expect(accounts.stdout).toContain("create");
  expect(accounts.stdout).toContain("list");
  expect((await run(["serve", "--help"])).stdout).toContain("LATCHKEY_LEASE_SECONDS");
});

test("latchkey alone serves", async () => {
  const server = startLatchkey([], { LATCHKEY_DATA: await folder(), PORT: "0" });
  undo.push(() => server.end());
  await waitFor("the server to listen, or to end", () => {
    return server.hasEnded() || server.stdout().includes("\n") || undefined;
  });
  expect(server.stdout()).toMatch(/^Latchkey listens on http:\/\/127\.0\.0\.1:/);
  expect(await server.end()).toEqual({ code: 0, signal: null });
});

test("whoever stops reading ends a command quietly, as a signal would", async () => {
  const child = spawn(process.execPath, [BINARY, "--help"], { env: { PATH: process.env.PATH } });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect([code, stderr]).toEqual([141, ""]);
});

test("--version is a version", async () => {
  const { code, stdout } = await run(["--version"]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
});

test.each([
  [["setupp"]],
  [["serve", "--port", "1"]],
  [["serve", "extra"]],
  [["setup", "--email", "a@example.com"]],
  [["accounts", "create"]],
  [["accounts", "remove"]],
])("%j is not understood: exit 2, told on standard error", async (args) => {
  const { code, stdout, stderr } = await run(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("--help");
});

test("setup --json writes one JSON document and exits 0; again, it exits 1 and shows no token", async () => {
  const env = { LATCHKEY_DATA: join(await folder(), "data") };
  const first = await run(PIPED, env, `${OWNER.password}\r\n`);
  expect(first.code).toBe(0);
  expect(Object.keys(JSON.parse(first.stdout))).toEqual([
    "account",
    "environments",
    "service_token",
    "verifier_token",
    "operator_token",
  ]);
  expect(first.stderr).not.toMatch(ANY_TOKEN);

  const second = await run(PIPED, env, `${OWNER.password}\n`);
  expect([second.code, second.stdout]).toEqual([1, ""]);
  expect(second.stderr).toContain("set up already");
  expect(second.stderr).not.toMatch(ANY_TOKEN);
});

test("without --json set-up is told in words", async () => {
  const env = { LATCHKEY_DATA: await folder() };
  const { code, stdout } = await run([...SETUP, "--password-stdin"], env, OWNER.password);
  expect(code).toBe(0);
  expect(stdout).toContain("Acme (acme)");
  expect(stdout).toContain("ada@example.com");
  expect(stdout.match(new RegExp(ANY_TOKEN, "g"))).toHaveLength(7);
});

test.each([
  ["too short", "short\n", /at least 12/],
  ["too long", `${"x".repeat(129)}\n`, /at most 128/],
  ["far too long", "x".repeat(100_000), /too long/],
  ["empty", "", /empty/],
  ["an empty line", "\n", /empty/],
  ["two lines", "correct horse\nbattery staple\n", /more than one line/],
])("a password that is %s is refused, and set-up stays open", async (_, input, said) => {
  const env = { LATCHKEY_DATA: await folder() };
  const { code, stdout, stderr } = await run(PIPED, env, input);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(said);
  expect((await run(PIPED, env, OWNER.password)).code).toBe(0);
});

test("the password is asked for at a terminal only, and never taken from an option", async () => {
  const env = { LATCHKEY_DATA: await folder() };
  const asked = await run(SETUP, env, OWNER.password);
  expect([asked.code, asked.stdout]).toEqual([1, ""]);
  expect(asked.stderr).toContain("--password-stdin");
  expect((await run([...SETUP, "--password", OWNER.password], env)).code).toBe(2);
});

test("wrong options are named as options, all at once", async () => {
  const env = { LATCHKEY_DATA: join(await folder(), "data") };
  const args = ["setup", "--email", "ada", "--name", "", "--account", "Acme", "--slug", "v1"];
  const { code, stderr } = await run([...args, "--password-stdin"], env, OWNER.password);
  expect(code).toBe(1);
  for (const option of ["--email: ", "--name: ", "--slug: "]) expect(stderr).toContain(option);
});

test("setup beside a running server says so, and changes nothing", async () => {
  const dataFolder = await folder();
  const server = await startServer({ dataFolder });
  undo.push(() => server.end("SIGKILL"));
  const { code, stdout, stderr } = await run(PIPED, { LATCHKEY_DATA: dataFolder }, OWNER.password);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("Another latchkey is running");
  const state = await fetch(`${server.url}/v1/setup`);
  expect(await state.json()).toMatchObject({ state: "open" });
});

test("each start prints a new set-up link, until there is an owner", async () => {
  const dataFolder = await folder();
  const links: string[] = [];
  for (let start = 0; start < 2; start++) {
    const server = await startServer({ dataFolder });
    const link = /http:\/\/127\.0\.0\.1:\d+\/setup#([\w-]{32})\n/.exec(server.stdout())?.[1];
    links.push(link ?? "");
    expect(await server.end()).toEqual({ code: 0, signal: null });
    expect(server.stderr()).not.toContain(link);
  }
  expect(links[0]).not.toBe("");
  expect(links[0]).not.toBe(links[1]);

  await setUp({ dataFolder });
  const server = await startServer({ dataFolder });
  expect(server.stdout()).not.toContain("/setup");
  expect(await server.end("SIGINT")).toEqual({ code: 0, signal: null });
});

test.each([
  [
    "wrong settings",
    { PORT: "x", LATCHKEY_BRAND: "!" },
    /2 settings are wrong:\n {2}PORT.*\n {2}LATCHKEY_BRAND/,
  ],
  [
    "an address that is not here",
    { HOST: "192.0.2.1", LATCHKEY_PUBLIC_URL: "https://a.example" },
    /no address of this machine/,
  ],
  ["a data folder that is a file", { LATCHKEY_DATA: "/dev/null/data" }, /check LATCHKEY_DATA/],
])("serve with %s exits 1 with a line that says so, and no stack", async (_, env, said) => {
  const { code, stdout, stderr } = await run(["serve"], {
    LATCHKEY_DATA: await folder(),
    PORT: "0",
    ...env,
  });
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(said);
  expect(stderr).not.toMatch(/^ +at /m);
});

test("a port in use is told in one line; with a debug log the stack follows", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  undo.push(() => new Promise((resolve) => taken.close(resolve)));
  const at = taken.address();
  const port = typeof at === "object" && at !== null ? String(at.port) : "";
  const env = { LATCHKEY_DATA: await folder(), PORT: port };
  const quiet = await run(["serve"], env);
  expect(quiet.code).toBe(1);
  expect(quiet.stderr).toContain(`latchkey: Port ${port} on 127.0.0.1 is in use.`);
  expect(quiet.stderr).not.toMatch(/^ +at /m);
  expect((await run(["serve"], { ...env, LATCHKEY_LOG_LEVEL: "debug" })).stderr).toMatch(/^ +at /m);
});

test("a damaged secret stops the start", async () => {
  const dataFolder = join(await folder(), "data");
  mkdirSync(dataFolder);
  writeFileSync(join(dataFolder, "secret"), "short");
  const { code, stderr } = await run(["serve"], { LATCHKEY_DATA: dataFolder, PORT: "0" });
  expect(code).toBe(1);
  expect(stderr).toContain("restore it from a backup");
});

test("accounts are made and listed with the operator token; names cannot drive the terminal", async () => {
  const dataFolder = await folder();
  const first = await setUp({ dataFolder });
  const server = await startServer({ dataFolder });
  undo.push(() => server.end("SIGKILL"));
  const env = { LATCHKEY_URL: server.url, LATCHKEY_OPERATOR_TOKEN: first.operator_token };
  const named = ["accounts", "create", "--name", "Globex", "--slug", "globex"];

  const made = await run([...named, "--external-id", "cus_1", "--json"], env);
  expect(made.code).toBe(0);
  expect(JSON.parse(made.stdout)).toMatchObject({ account: { slug: "globex" } });
  const again = await run(named, env);
  expect([again.code, again.stdout]).toEqual([1, ""]);
  expect(again.stderr).toContain("slug");

  const listed = await run(["accounts", "list"], env);
  expect(listed.stdout).toMatch(
    /^SLUG +NAME +EXTERNAL ID +ID +CREATED +STATE\nglobex +Globex +cus_1 /,
  );
  const entries = JSON.parse((await run(["accounts", "list", "--json"], env)).stdout);
  expect(entries.map(({ slug }: { slug: string }) => slug)).toEqual(["globex", "acme"]);
  expect(
    (await run(["accounts", "list"], { ...env, LATCHKEY_OPERATOR_TOKEN: first.service_token }))
      .code,
  ).toBe(5);
});

test("the operator token is asked for, and never sent readably over a network", async () => {
  expect((await run(["accounts", "list"])).stderr).toContain("LATCHKEY_OPERATOR_TOKEN is not set");
  const token = `ot_${"x".repeat(36)}`;
  for (const LATCHKEY_URL of [
    "http://keys.example.com",
    "http://10.0.0.1:4400",
    "ftp://127.0.0.1",
  ]) {
    const refused = await run(["accounts", "list"], {
      LATCHKEY_URL,
      LATCHKEY_OPERATOR_TOKEN: token,
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("must be https://");
    expect(refused.stderr).not.toContain(token);
  }
});
