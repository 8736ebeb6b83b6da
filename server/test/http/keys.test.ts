import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const KEYS = "/v1/api_keys?environment=development";

async function issue(body: object = { type: "secret" }, headers: Record<string, string> = {}) {
  return world.call(`POST ${KEYS}`, { token: world.acme.serviceToken, body, headers });
}

describe("a key", () => {
  test("shows its token once, in the answer that issued it, and never again", async () => {
    const issued = await issue({
      type: "secret",
      description: "CI",
      metadata: { team: "billing" },
      expires_at: "2026-02-01T00:00:00+01:00",
    });
    expect(issued.status).toBe(201);
    const { api_key: token, ...rest } = issued.body;
    expect(token).toMatch(/^sk_[0-9A-Za-z]{36}$/);
    expect(rest).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      environment: "development",
      type: "secret",
      description: "CI",
      metadata: { team: "billing" },
      hint: `sk_…${token.slice(-4)}`,
      created_at: new Date(NOW_MS).toISOString(),
      created_by: {
        type: "service_token",
        id: expect.stringMatching(/^tok_/),
        name: "First token",
      },
      expires_at: "2026-01-31T23:00:00.000Z",
      last_used_at: null,
      revoked_at: null,
      revoked_by: null,
      revoked_reason: null,
      revocation: null,
      rotated_from: null,
      rotated_to: null,
      overlap: null,
    });
    const { serviceToken } = world.acme;
    const again = await world.call(`GET /v1/api_keys/${rest.id}`, { token: serviceToken });
    expect(again.body).toEqual(rest);
    const list = await world.call(`GET ${KEYS}`, { token: serviceToken });
    const edited = await world.call(`PATCH /v1/api_keys/${rest.id}`, {
      token: serviceToken,
      body: { description: "CI, new" },
    });
    const revoked = await world.call(`POST /v1/api_keys/${rest.id}/revoke`, {
      token: serviceToken,
    });
    for (const heard of [again, list, edited, revoked]) {
      expect(heard.status).toBe(200);
      expect(heard.text).not.toContain(token);
    }
    expect(world.log.join("")).not.toContain(token);
  });

  test("of type public can be read again", async () => {
    const { body } = await issue({ type: "public" });
    expect(body.api_key).toMatch(/^pk_/);
    const again = await world.call(`GET /v1/api_keys/${body.id}`, {
      token: world.acme.serviceToken,
    });
    expect(again.body.api_key).toBe(body.api_key);
  });
});

describe("a list of keys", () => {
  const idsOf = (heard: Heard): string[] => heard.body.entries.map((one: { id: string }) => one.id);

  /** The pages of a list from `start` on, walked by one cursor. */
  async function walk(own: World, cursor: "after" | "before", start = ""): Promise<string[][]> {
    const pages: string[][] = [];
    for (let at = start; ; ) {
      const to = `GET ${KEYS}&page_size=4${at}`;
      const heard = await own.call(to, { token: own.acme.serviceToken });
      pages.push(idsOf(heard));
      const next = heard.body.page_info[cursor];
      if (next === null) return pages;
      at = `&${cursor}=${next}`;
    }
  }

  test("has every key once, newest first, whichever way it is walked", async () => {
    const own = await openWorld();
    const said = { token: own.acme.serviceToken, body: { type: "secret" } };
    const made: string[] = [];
    for (let count = 0; count < 7; count++) {
      own.clock.nowMs += 1;
      made.unshift((await own.call(`POST ${KEYS}`, said)).body.id);
    }
    const down = await walk(own, "after");
    expect(down.map((page) => page.length)).toEqual([4, 4, 1]);
    expect(down.flat().slice(0, 7)).toEqual(made);
    expect(new Set(down.flat()).size).toBe(9);
    const up = await walk(own, "before", `&before=${down.flat()[8]}`);
    expect(up).toEqual([down.flat().slice(4, 8), down.flat().slice(0, 4)]);
    await own.close();
  });

  test("has 50 entries unless asked otherwise", async () => {
    const { body } = await world.call(`GET ${KEYS}`, { token: world.acme.serviceToken });
    expect(body.page_info.page_size).toBe(50);
  });

  test("finds by status and by text, literally", async () => {
    const own = await openWorld();
    const token = own.acme.serviceToken;
    const make = async (body: object) => (await own.call(`POST ${KEYS}`, { token, body })).body;
    const list = async (query: string) => {
      const { body } = await own.call(`GET ${KEYS}${query}`, { token });
      return body.entries.map((entry: { id: string }) => entry.id);
    };
    const plain = await make({ type: "secret", description: "Billing 100%" });
    const dying = await make({ type: "secret", expires_at: "2026-02-01T00:00:00Z" });
    const dead = await make({ type: "public", description: "billing, old" });
    await own.call(`POST /v1/api_keys/${dead.id}/revoke`, { token });
    expect(await list("")).toEqual(expect.arrayContaining([plain.id, dying.id]));
    expect(await list("")).not.toContain(dead.id);
    expect(await list("&status=revoked")).toEqual([dead.id]);
    expect(await list("&status=expired")).toEqual([]);
    own.clock.nowMs = Date.UTC(2026, 1, 1);
    expect(await list("&status=expired")).toEqual([dying.id]);
    expect(await list("&status=active")).not.toContain(dying.id);
    expect(await list("&status=all")).toHaveLength(5);
    expect(await list("&status=all&q=BILLING")).toEqual([dead.id, plain.id]);
    expect(await list("&q=100%25")).toEqual([plain.id]);
    expect(await list("&q=%25_%25")).toEqual([]);
    expect(await list(`&q=${plain.id.slice(-12)}`)).toEqual([plain.id]);
    expect(await list(`&q=${encodeURIComponent(plain.hint)}`)).toEqual([plain.id]);
    await own.close();
  });

  test("finds what nobody uses any more, and what nobody ever used", async () => {
    const own = await openWorld();
    const token = own.acme.serviceToken;
    const make = async () =>
      (await own.call(`POST ${KEYS}`, { token, body: { type: "secret" } })).body.id;
    const list = async (query: string) => {
      const heard = await own.call(`GET ${KEYS}${query}&q=key_`, { token });
      expect(heard.status, heard.text).toBe(200);
      return idsOf(heard);
    };
    const first = await list("");
    const [quiet, busy] = [await make(), await make()];
    const uses = async (keyIds: string[]) => {
      const { nowMs } = own.clock;
      const one = { accepted: 1, revoked: 0, expired: 0, type: 0, environment: 0 };
      const minute = { minuteMs: nowMs - (nowMs % 60_000), counts: one, lastAcceptedMs: nowMs };
      const batch = { source: `src_${nowMs}`, number: 1, callers: [], refusals: [] };
      const counts = keyIds.map((keyId) => ({ keyId, ...minute }));
      await own.store.recordUsage([{ ...batch, counts }], nowMs);
    };
    await uses([quiet, busy]);
    own.clock.nowMs += 90 * 86_400_000;
    expect(await list("&last_used=over_90_days_ago")).toEqual([]);
    own.clock.nowMs += 1;
    await uses([busy]);
    const fresh = await make();
    expect(await list("&last_used=over_90_days_ago")).toEqual([quiet, ...first]);
    expect(await list("&last_used=never")).toEqual([fresh, ...first]);
    expect(await list("")).toEqual([fresh, busy, quiet, ...first]);
    expect(await list("&last_used=never&status=revoked")).toEqual([]);
    for (const value of ["any", "", "over_30_days_ago", "never&last_used=never"]) {
      const heard = await own.call(`GET ${KEYS}&last_used=${value}`, { token });
      expect([heard.status, heard.body.errors?.[0].field]).toEqual([422, "last_used"]);
    }
    await own.close();
  });
});

describe("a revocation", () => {
  const revoke = (id: string, query = "", body?: object) =>
    world.call(`POST /v1/api_keys/${id}/revoke${query}`, {
      token: world.acme.serviceToken,
      ...(body === undefined ? {} : { body }),
    });

  test("answers with its receipt, and the key is refused from then on", async () => {
    const { body: key } = await issue();
    const heard = await revoke(key.id, "", { reason: "leaked" });
    expect(heard.status).toBe(200);
    expect(heard.body).toMatchObject({
      revoked_at: new Date(NOW_MS).toISOString(),
      revoked_by: { type: "service_token", name: "First token" },
      revoked_reason: "leaked",
      revocation: {
        state: "effective",
        effective_at: new Date(NOW_MS).toISOString(),
        took_ms: expect.any(Number),
        acknowledged: expect.any(Number),
        lapsed: 0,
      },
    });
    const refused = await world.call("GET /v1/whoami", { token: key.api_key });
    expect([refused.status, refused.body.code]).toEqual([401, "api_key_missing"]);
  });

  test("of fifty at once happens once, and all are told when", async () => {
    const { body: key } = await issue();
    const answers = await Promise.all(Array.from({ length: 50 }, () => revoke(key.id)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.revoked_at)).size).toBe(1);
    world.clock.nowMs += 1_000;
    const again = await revoke(key.id, "", { reason: "another" });
    world.clock.nowMs -= 1_000;
    expect(again.body.revoked_at).toBe(answers[0]?.body.revoked_at);
    expect(again.body.revoked_reason).toBeNull();
    const { db } = world;
    const events = await db.selectFrom("change").select("seq").execute();
    const { revocation_seq } = await db
      .selectFrom("api_key")
      .select("revocation_seq")
      .where("id", "=", key.id)
      .executeTakeFirstOrThrow();
    expect(events.filter(({ seq }) => seq === revocation_seq)).toHaveLength(1);
  });

  test("that nobody waits for answers 202 at once, and becomes effective by itself", async () => {
    let finish = (): void => {};
    const slow = await openWorld(({ barrier }) => ({
      barrier: {
        ...barrier,
        async complete(seq) {
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          return barrier.complete(seq);
        },
      },
    }));
    const token = slow.acme.serviceToken;
    const { body: key } = await slow.call(`POST ${KEYS}`, { token, body: { type: "secret" } });
    const path = `/v1/api_keys/${key.id}`;
    const heard = await slow.call(`POST ${path}/revoke?wait=false`, { token });
    expect(heard.status).toBe(202);
    expect(heard.body.revoked_at).toBe(new Date(NOW_MS).toISOString());
    expect(heard.body.revocation).toMatchObject({ state: "pending", effective_at: null });
    finish();
    await expect
      .poll(async () => (await slow.call(`GET ${path}`, { token })).body.revocation.state)
      .toBe("effective");
    const again = await slow.call(`POST ${path}/revoke?wait=false`, { token });
    expect(again.status).toBe(200);
    await slow.close();
  });

  test("cannot be taken back by an edit", async () => {
    const { body: key } = await issue();
    await revoke(key.id);
    const heard = await world.call(`PATCH /v1/api_keys/${key.id}`, {
      token: world.acme.serviceToken,
      body: { description: "alive?" },
    });
    expect(heard.body.description).toBe("alive?");
    expect(heard.body.revoked_at).not.toBeNull();
    const wrong = await world.call(`PATCH /v1/api_keys/${key.id}`, {
      token: world.acme.serviceToken,
      body: { revoked_at: null },
    });
    expect(wrong.status).toBe(422);
  });
});

describe("an edit", () => {
  test("changes what it names, leaves the rest, and is in the next verdict", async () => {
    const { body: key } = await issue({ type: "secret", description: "a", metadata: { x: "1" } });
    const path = `PATCH /v1/api_keys/${key.id}`;
    const token = world.acme.serviceToken;
    const described = await world.call(path, { token, body: { description: "" } });
    expect(described.body).toMatchObject({ description: "", metadata: { x: "1" } });
    const tagged = await world.call(path, { token, body: { metadata: { y: "2" } } });
    expect(tagged.body).toMatchObject({ description: "", metadata: { y: "2" } });
    const heard = await world.call("GET /v1/whoami", { token: key.api_key });
    expect(heard.body.metadata).toEqual({ y: "2" });
    expect((await world.call(path, { token, body: {} })).status).toBe(422);
    expect((await world.call(path, { token, body: { type: "public" } })).status).toBe(422);
  });
});
