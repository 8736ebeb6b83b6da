import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { latchkey } from "./command-line.ts";
import {
  type FirstAccount,
  type RealServer,
  setUp,
  startLatchkey,
  startServer,
  temporaryFolder,
} from "./real-server.ts";

let server: RealServer;
let first: FirstAccount;
let removeFolder: () => Promise<void>;
let env: Record<string, string>;

beforeAll(async () => {
  const { path, remove } = await temporaryFolder();
  removeFolder = remove;
  first = await setUp({ dataFolder: path });
  server = await startServer({ dataFolder: path });
  env = { LATCHKEY_URL: server.url, LATCHKEY_OPERATOR_TOKEN: first.operator_token };
});
afterAll(async () => {
  await server.end();
  await removeFolder();
});

/** Runs `latchkey tokens …` to its end, off a terminal. */
async function tokens(args: readonly string[], given = env) {
  const child = startLatchkey(["tokens", ...args], given);
  const { code } = await child.ended;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

async function create(name: string): Promise<{ id: string; token: string; hint: string }> {
  return JSON.parse((await tokens(["create", "--name", name, "--json"])).stdout);
}

async function ids(): Promise<string[]> {
  const entries = JSON.parse((await tokens(["list", "--json"])).stdout);
  return entries.map(({ id }: { id: string }) => id);
}

async function verifies(token: string): Promise<boolean> {
  const answer = await fetch(`${server.url}/v1/api_keys/verify`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ api_key: first.environments[0]?.secret_key }),
  });
  return answer.status === 200;
}

test("a token is created and printed once, alone on standard output", async () => {
  const made = await tokens(["create", "--name", "Checkout"]);
  expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^vt_[0-9A-Za-z]{36}\n$/)]);
  expect(made.stderr).toMatch(/^Verifier token "Checkout" \(vt_….{4}\) is shown this once/);
  expect(made.stderr).not.toContain(made.stdout.trim());
  expect(await verifies(made.stdout.trim())).toBe(true);
  const listed = await tokens(["list"]);
  expect(listed.stdout).not.toContain(made.stdout.trim());
  expect(listed.stdout).toMatch(
    /^NAME +KIND +HINT +ID +CREATED +EXPIRES +LAST USED\nCheckout +verifier +vt_….{4} +tok_[0-9a-f]{32} +\d{4}-\d\d-\d\d +never +\d{4}-\d\d-\d\d\n/,
  );
  expect(listed.stdout).toMatch(/First verifier token +verifier .* never\n/);
});

test("a script gets one JSON document from each", async () => {
  const made = await tokens(["create", "--name", "CI", "--kind", "operator", "--json"]);
  expect(made.stderr).toBe("");
  const created = JSON.parse(made.stdout);
  expect(created).toMatchObject({ kind: "operator", name: "CI" });
  expect(created.token).toMatch(/^ot_/);
  const asOther = { ...env, LATCHKEY_OPERATOR_TOKEN: created.token };
  const entries = JSON.parse((await tokens(["list", "--json"], asOther)).stdout);
  expect(entries[0]).toMatchObject({ id: created.id, hint: created.hint });
  expect(entries[0]).not.toHaveProperty("token");
  const deleted = await tokens(["delete", created.id, "--yes", "--json"], asOther);
  expect([deleted.code, deleted.stderr]).toEqual([0, ""]);
  expect(JSON.parse(deleted.stdout)).toMatchObject({ revocation: { state: "effective" } });
});

test("a program that says --yes deletes a token, and is told how it ended", async () => {
  const { id, token } = await create("Old");
  const unasked = await tokens(["delete", id]);
  expect([unasked.code, unasked.stdout]).toEqual([2, ""]);
  expect(unasked.stderr).toContain("--yes. Nothing was deleted.");
  expect(await verifies(token)).toBe(true);
  const deleted = await tokens(["delete", id, "--yes"]);
  expect(deleted).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^Deleted. Refused everywhere after \d+ ms: 1 of 1 verifiers confirmed.\n$/,
    ),
    stderr: "",
  });
  expect(await verifies(token)).toBe(false);
  const again = await tokens(["delete", id, "--yes"]);
  expect([again.code, again.stdout]).toEqual([4, ""]);
  expect(again.stderr).toContain("There is no such token.");
});

test.each([
  [["create"], 2],
  [["create", "--name", "x", "--kind", "other"], 2],
  [["create", "--name", "x", "--expires-in", "1d"], 2],
  [["delete"], 2],
  [["remove", "x"], 2],
  [["create", "--name", ""], 1],
  [["create", "--name", "n".repeat(65)], 1],
  [["delete", "tok_nobody", "--yes"], 4],
  [["delete", "..", "--yes"], 1],
])("tokens %j exits with %i and prints no token", async (args, code) => {
  const before = await ids();
  const refused = await tokens(args);
  expect([refused.code, refused.stdout]).toEqual([code, ""]);
  expect(refused.stderr).not.toMatch(/^ +at /m);
  expect(await ids()).toEqual(before);
});

test("another token than the operator's is told apart", async () => {
  for (const token of [first.service_token, first.verifier_token]) {
    const refused = await tokens(["list"], { ...env, LATCHKEY_OPERATOR_TOKEN: token });
    expect([refused.code, refused.stdout]).toEqual([5, ""]);
    expect(refused.stderr).toContain("operator token");
    expect(refused.stderr).not.toContain(token);
  }
});

describe("at a terminal", () => {
  /** The command with somebody at a terminal who answers like this. */
  const deleteAt = (answer: string, id: string, ...options: string[]) =>
    latchkey(["tokens", "delete", id, ...options], { env, answer });

  test.each(["n\n", "\n", "", "no\n", "yesterday\n"])("%j deletes nothing", async (answer) => {
    const { id, token, hint } = await create("Kept");
    const { code, stdout, stderr } = await deleteAt(answer, id);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("latchkey: Nothing was deleted.");
    expect(stderr).toContain(`(${hint})? Its sessions end at once. [y/N] `);
    expect(await verifies(token)).toBe(true);
    await tokens(["delete", id, "--yes"]);
  });

  test.each(["y\n", "Yes\n", " yes "])("%j deletes it", async (answer) => {
    const { id, token } = await create("Gone");
    const { code, stdout } = await deleteAt(answer, id);
    expect([code, stdout.slice(0, 9)]).toEqual([0, "Deleted. "]);
    expect(await verifies(token)).toBe(false);
  });

  test("--yes asks nothing, and what is not there is not asked about", async () => {
    const { id } = await create("Gone");
    expect((await deleteAt("n\n", id, "--yes")).stderr).toBe("");
    const again = await deleteAt("y\n", id);
    expect([again.code, again.stderr]).toEqual([4, "latchkey: There is no such token.\n"]);
  });
});
