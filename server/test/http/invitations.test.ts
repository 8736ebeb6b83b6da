import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { type Visitor, visit } from "./visitor.ts";
import type { Heard } from "./world.ts";

const PASSWORD = "correct horse battery staple";

let service: Awaited<ReturnType<typeof startTestService>>;
let owner: Visitor;
beforeAll(async () => {
  service = await startTestService({ LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" });
  owner = visit(service.url, "acme");
  await owner.call("POST /auth/sign-in/email", { email: "ada@example.com", password: PASSWORD });
});
afterAll(() => service.close());

/** Invites to acme; resolves to the answer and what follows the `#` of its link. */
async function invite(email: string, role = "member"): Promise<Heard & { secret: string }> {
  const heard = await owner.call("POST /v1/invitations", { email, role });
  expect(heard.status, heard.text).toBe(201);
  return { ...heard, secret: heard.body.link.split("#")[1] };
}

const open = (who: Visitor, secret: string) => who.call("POST /v1/invitations/open", { secret });
const accept = (who: Visitor, secret: string, more: object = {}) =>
  who.call("POST /v1/invitations/accept", { secret, ...more });
const stranger = () => visit(service.url, "acme");
const BEA = { name: "Bea", password: PASSWORD };

/** All that the server keeps, the part of it that is only in the log of SQLite too. */
function databaseOf(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.startsWith("latchkey.db"));
  return names.map((name) => readFileSync(join(folder, name), "latin1")).join("");
}

/** An answer without what differs in every answer. */
const withoutId = (heard: Heard) => [heard.status, heard.text.replace(/req_\w+/, "")];

describe("an invitation", () => {
  test("is a link, this once, whose secret no list, log or database tells again", async () => {
    const made = await invite("link@example.com");
    expect(made.body).toEqual({
      id: expect.stringMatching(/^inv_[0-9a-f]{32}$/),
      email: "link@example.com",
      role: "member",
      created_at: expect.any(String),
      created_by: { type: "person", id: expect.stringMatching(/^per_/), name: "Ada" },
      expires_at: expect.any(String),
      mailed: false,
      link: `${service.url}/invitation#${made.secret}`,
    });
    expect(made.secret).toMatch(/^[\w-]{32}$/);
    const { created_at, expires_at } = made.body;
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(7 * 86_400_000);
    const listed = await owner.call("GET /v1/invitations");
    expect(listed.text).toContain("link@example.com");
    await open(stranger(), made.secret);
    const database = databaseOf(service.folder);
    expect(database).toContain("link@example.com");
    for (const text of [listed.text, service.logged(), database])
      expect(text).not.toContain(made.secret);
  });

  test("makes a newcomer a person and a member, signed in, in one step", async () => {
    const { secret } = await invite("Newcomer@Example.com", "admin");
    const bea = stranger();
    const opened = await open(bea, secret);
    expect(opened.body).toEqual({
      account: { name: "Acme" },
      email: "newcomer@example.com",
      role: "admin",
      invited_by: "Ada",
      expires_at: expect.any(String),
    });
    expect(opened.headers.get("Cache-Control")).toBe("no-store");
    const accepted = await accept(bea, secret, BEA);
    expect([accepted.status, accepted.body]).toEqual([
      200,
      { account: { slug: "acme", name: "Acme" }, role: "admin" },
    ]);
    expect((await bea.call("GET /v1/service_tokens")).status).toBe(200);
    const again = visit(service.url, "acme");
    const credentials = { email: "newcomer@example.com", password: PASSWORD };
    expect((await again.call("POST /auth/sign-in/email", credentials)).status).toBe(200);
    expect((await owner.call("GET /v1/invitations")).text).not.toContain("newcomer@example.com");
  });

  test("is accepted by the session of whoever was invited, and by no other", async () => {
    const cleo = stranger();
    const first = await invite("cleo@example.com", "support");
    await accept(cleo, first.secret, { ...BEA, name: "Cleo" });
    const { entries } = (await owner.call("GET /v1/members")).body;
    const { id } = entries.find(({ email }: { email: string }) => email === "cleo@example.com");
    await owner.call(`DELETE /v1/members/${id}`);
    expect((await cleo.call("GET /v1/account")).status).toBe(404);
    const { secret } = await invite("cleo@example.com");
    const wrong = await accept(owner, secret);
    expect([wrong.status, wrong.body.message]).toEqual([
      409,
      expect.stringContaining("for cleo@example.com"),
    ]);
    const unsigned = await accept(stranger(), secret, BEA);
    expect([unsigned.status, unsigned.body.message]).toEqual([
      409,
      expect.stringContaining("sign in, then accept"),
    ]);
    const taken = await accept(cleo, secret);
    expect([taken.status, taken.body.role]).toEqual([200, "member"]);
    expect((await cleo.call("GET /v1/account")).status).toBe(200);
  });
});

describe("a link", () => {
  test("that was used, replaced, cancelled or never was reads the same, and does nothing", async () => {
    const used = await invite("used@example.com");
    await accept(stranger(), used.secret, BEA);
    const replaced = await invite("replaced@example.com");
    await invite("replaced@example.com");
    const renewed = await invite("renewed@example.com");
    const sent = await owner.call(`POST /v1/invitations/${renewed.body.id}/send`);
    expect([sent.status, sent.body.id]).toEqual([200, renewed.body.id]);
    const cancelled = await invite("cancelled@example.com");
    expect((await owner.call(`DELETE /v1/invitations/${cancelled.body.id}`)).status).toBe(200);
    const dead = [used, replaced, renewed, cancelled].map(({ secret }) => secret);
    const members = (await owner.call("GET /v1/members")).text;
    const answers = new Set<string>();
    for (const secret of [...dead, "A".repeat(32), "x"])
      for (const heard of [
        await open(stranger(), secret),
        await accept(stranger(), secret, BEA),
        await accept(owner, secret),
      ]) {
        expect([heard.status, heard.body.code]).toEqual([404, "resource_missing"]);
        expect(heard.headers.getSetCookie()).toEqual([]);
        answers.add(heard.body.message);
      }
    expect(answers.size).toBe(1);
    expect((await owner.call("GET /v1/members")).text).toBe(members);
    expect((await open(stranger(), sent.body.link.split("#")[1])).status).toBe(200);
  });

  test("accepted by many at once makes one member", async () => {
    const { secret } = await invite("race@example.com");
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => accept(stranger(), secret, BEA)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 404, 404, 404, 404, 404]);
  });

  test("does not tell whether anybody has the address, nor does inviting", async () => {
    const elsewhere = stranger();
    const known = await invite("known@example.com");
    await accept(elsewhere, known.secret, BEA);
    const { entries } = (await owner.call("GET /v1/members")).body;
    const { id } = entries.find(({ email }: { email: string }) => email === "known@example.com");
    await owner.call(`DELETE /v1/members/${id}`);
    const asked = [await invite("known@example.com"), await invite("nobodys@example.com")];
    const same = (heard: Heard, email: string) =>
      heard.text
        .replaceAll(email, "EMAIL")
        .replace(/inv_\w+/, "")
        .replace(/#[\w-]+/, "")
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "");
    const [one, two] = asked.map((heard, index) =>
      same(heard, index === 0 ? "known@example.com" : "nobodys@example.com"),
    );
    expect(one).toBe(two);
    const opened = await Promise.all(asked.map(({ secret }) => open(stranger(), secret)));
    const [first, second] = opened.map(({ status, body }) => [
      status,
      { ...body, email: "", expires_at: "" },
    ]);
    expect(first).toEqual(second);
    // Who has no name and no password yet is told that first, of either.
    const bare = await Promise.all(asked.map(({ secret }) => accept(stranger(), secret)));
    expect(withoutId(bare[0] as Heard)).toEqual(withoutId(bare[1] as Heard));
    expect(bare[0]?.body.errors.map(({ field }: { field: string }) => field)).toEqual([
      "name",
      "password",
    ]);
  });
});

test("a link to an address that somebody has hashes nothing, and many hashes at once wait", async () => {
  const { secret } = await invite("ada2@example.com");
  await accept(stranger(), secret, BEA);
  const { entries } = (await owner.call("GET /v1/members")).body;
  const { id } = entries.find(({ email }: { email: string }) => email === "ada2@example.com");
  await owner.call(`DELETE /v1/members/${id}`);
  const again = await invite("ada2@example.com");
  const taken = await Promise.all(
    Array.from({ length: 60 }, () => accept(stranger(), again.secret, BEA)),
  );
  expect(new Set(taken.map(({ status }) => status))).toEqual(new Set([409]));
  const free = await invite("many@example.com");
  const asked = await Promise.all(
    Array.from({ length: 60 }, () => accept(stranger(), free.secret, BEA)),
  );
  const statuses = asked.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses).toContain(429);
});

describe("pages of other sites", () => {
  test("neither open nor accept, with a session or without", async () => {
    const { secret } = await invite("foreign@example.com");
    const foreign = ["https://evil.example", "null", `${service.url}0`];
    for (const Origin of foreign)
      for (const who of [owner, stranger()])
        for (const path of ["open", "accept"]) {
          const heard = await who.call(
            `POST /v1/invitations/${path}`,
            { secret, ...BEA },
            { Origin },
          );
          expect([heard.status, heard.body.code]).toEqual([403, "access_denied"]);
        }
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const heard = await owner.call("POST /v1/invitations/accept", { secret }, form);
    expect(heard.status).toBe(415);
    expect((await open(stranger(), secret)).status).toBe(200);
  });

  test("and a cookie without any Origin does not either; a program without a cookie may", async () => {
    const { secret } = await invite("program@example.com");
    const post = (headers: Record<string, string>) =>
      fetch(`${service.url}/v1/invitations/open`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify({ secret }),
      });
    expect((await post({ Cookie: "latchkey.session_token=x" })).status).toBe(403);
    expect((await post({})).status).toBe(200);
  });

  test("a weak password and a wrong shape are refused before anything is done", async () => {
    const { secret } = await invite("weak@example.com");
    for (const more of [
      { name: "B", password: "short" },
      { name: "", password: PASSWORD },
      { ...BEA, role: "owner" },
      { ...BEA, email: "other@example.com" },
    ])
      expect((await accept(stranger(), secret, more)).status).toBe(422);
    expect((await stranger().call("GET /v1/invitations/open")).status).toBe(405);
    expect((await open(stranger(), secret)).status).toBe(200);
  });
});

test("one address opens so many links in a minute, and then waits", async () => {
  const limited = await startTestService();
  try {
    const statuses: number[] = [];
    // Whatever each says of where it comes from: nobody is believed here.
    for (let tries = 0; tries < 32; tries += 1)
      statuses.push((await open(visit(limited.url), `nonsense-${tries}`)).status);
    expect(statuses).toEqual([...Array(30).fill(404), 429, 429]);
    const heard = await open(visit(limited.url), "nonsense");
    expect(Number(heard.headers.get("Retry-After"))).toBeGreaterThan(0);
  } finally {
    await limited.close();
  }
});
