import { Failure } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const KEYS = "/v1/api_keys?environment=development";
const DAY_MS = 24 * 60 * 60_000;
const iso = (ms: number): string => new Date(ms).toISOString();

const ask = (to: string, body?: unknown): Promise<Heard> =>
  world.call(to, { token: world.acme.serviceToken, ...(body === undefined ? {} : { body }) });

async function issue(body: object = {}) {
  return (await ask(`POST ${KEYS}`, { type: "secret", ...body })).body;
}

const edit = (id: string, body: object) => ask(`PATCH /v1/api_keys/${id}`, body);

const rotate = (id: string, body: object = {}) =>
  ask(`POST /v1/api_keys/${id}/rotate`, { overlap_seconds: 3_600, ...body });

const changes = async () => (await world.db.selectFrom("change").select("seq").execute()).length;

describe("the end of a key", () => {
  test("can be brought forward, put off and taken away while it lives", async () => {
    const key = await issue();
    for (const expiresAt of [iso(NOW_MS + DAY_MS), iso(NOW_MS + 9 * DAY_MS), null]) {
      const heard = await edit(key.id, { expires_at: expiresAt });
      expect([heard.status, heard.body.expires_at]).toEqual([200, expiresAt]);
    }
    expect(await changes()).toBe(3);
    await expect.poll(() => world.store.leases.pendingRevocations()).toEqual([]);
  });

  test("is final: it gets no other, and says which it had", async () => {
    const expired = await issue({ expires_at: iso(NOW_MS + 1) });
    const revoked = await issue();
    await ask(`POST /v1/api_keys/${revoked.id}/revoke`);
    world.clock.nowMs += 1;
    for (const [{ id }, message] of [
      [expired, /has expired/],
      [revoked, /was revoked/],
    ] as const) {
      const before = (await ask(`GET /v1/api_keys/${id}`)).body;
      for (const body of [{ expires_at: null }, { overlap_seconds: 60 }]) {
        const heard = await edit(id, { ...body, description: "lives again" });
        expect([heard.status, heard.body.code]).toEqual([409, "conflict"]);
        expect(heard.body.message).toMatch(message);
      }
      expect((await ask(`GET /v1/api_keys/${id}`)).body).toEqual(before);
      expect((await edit(id, { description: "ended" })).body.description).toBe("ended");
    }
  });

  test("of a key in rotation is its overlap's, which can be changed", async () => {
    const key = await issue();
    expect((await edit(key.id, { overlap_seconds: 60 })).status).toBe(409);
    await rotate(key.id);
    world.clock.nowMs += 10_000;
    const refused = await edit(key.id, { expires_at: null });
    expect([refused.status, refused.body.code]).toEqual([409, "conflict"]);
    expect(refused.body.message).toContain("overlap_seconds");
    const shorter = await edit(key.id, { overlap_seconds: 60 });
    expect(shorter.body).toMatchObject({
      expires_at: iso(NOW_MS + 60_000),
      overlap: { seconds: 60, started_at: iso(NOW_MS) },
    });
    const past = await edit(key.id, { overlap_seconds: 10 });
    expect([past.status, past.body.errors[0]]).toEqual([
      422,
      { field: "overlap_seconds", message: expect.stringMatching(/revoke/) },
    ]);
    const longer = await edit(key.id, { overlap_seconds: 86_400 });
    expect(longer.body.expires_at).toBe(iso(NOW_MS + DAY_MS));
  });

  test("takes no value that means nothing", async () => {
    const key = await issue();
    await rotate(key.id);
    const before = await changes();
    const wrong: [object, string][] = [
      [{ expires_at: iso(NOW_MS) }, "expires_at"],
      [{ expires_at: "" }, "expires_at"],
      [{ expires_at: 0 }, "expires_at"],
      [{ expires_at: "+275760-09-13T00:00:00Z" }, "expires_at"],
      [{ overlap_seconds: 0 }, "overlap_seconds"],
      [{ overlap_seconds: null }, "overlap_seconds"],
      [{ overlap_seconds: 2_592_001 }, "overlap_seconds"],
      [{ overlap_seconds: 1, expires_at: null }, "overlap_seconds"],
      [{ overlap: { seconds: 1 } }, "overlap"],
      [{ rotated_to: null }, "rotated_to"],
    ];
    for (const [body, field] of wrong) {
      const heard = await edit(key.id, body);
      expect(heard.status, JSON.stringify(body)).toBe(422);
      expect(heard.body.errors[0].field).toBe(field);
    }
    expect(await changes()).toBe(before);
  });

  test("brought forward is a 503 until it is proved to be known, and repeating goes on", async () => {
    let unproved = true;
    const own = await openWorld(({ barrier }) => ({
      barrier: {
        ...barrier,
        complete: (seq) =>
          unproved
            ? Promise.reject(new Failure("service_unavailable", "unproved"))
            : barrier.complete(seq),
      },
    }));
    const said = { token: own.acme.serviceToken };
    const { body: key } = await own.call(`POST ${KEYS}`, { ...said, body: { type: "secret" } });
    const body = { expires_at: iso(NOW_MS + DAY_MS), description: "short-lived" };
    const patch = () => own.call(`PATCH /v1/api_keys/${key.id}`, { ...said, body });
    for (let time = 0; time < 2; time++) {
      const heard = await patch();
      expect([heard.status, heard.body.code]).toEqual([503, "service_unavailable"]);
    }
    unproved = false;
    const heard = await patch();
    expect(heard.status, heard.text).toBe(200);
    expect(heard.body).toMatchObject(body);
    expect(await own.db.selectFrom("change").select("seq").execute()).toHaveLength(1);
    await own.close();
  });
});

describe("the list of keys", () => {
  test("finds those that end soon, and those that never do", async () => {
    const ends = {
      soon: (await issue({ expires_at: iso(NOW_MS + 7 * DAY_MS) })).id,
      later: (await issue({ expires_at: iso(NOW_MS + 7 * DAY_MS + 1) })).id,
      far: (await issue({ expires_at: iso(NOW_MS + 30 * DAY_MS + 1) })).id,
      never: (await issue({ description: "for ever" })).id,
      over: (await issue({ expires_at: iso(NOW_MS + 1) })).id,
    };
    world.clock.nowMs += 1;
    const ids = async (query: string) => {
      const { body } = await ask(`GET ${KEYS}&${query}`);
      const names = new Map(Object.entries(ends).map(([name, id]) => [id, name]));
      return body.entries.flatMap(({ id }: { id: string }) => names.get(id) ?? []).sort();
    };
    expect(await ids("expires=within_7_days")).toEqual(["later", "soon"]);
    expect(await ids("expires=within_30_days")).toEqual(["far", "later", "soon"]);
    expect(await ids("expires=never")).toEqual(["never"]);
    expect(await ids("expires=never&q=ever")).toEqual(["never"]);
    expect(await ids("expires=within_7_days&status=all")).toEqual(["later", "soon"]);
    expect(await ids("expires=within_7_days&status=expired")).toEqual([]);
    expect(await ids("status=expired")).toEqual(["over"]);
  });

  test("takes no other value, and none twice", async () => {
    for (const query of ["expires=", "expires=soon", "expires=never&expires=never", "expire=never"])
      expect((await ask(`GET ${KEYS}&${query}`)).status, query).toBe(422);
  });
});

test("a refusal at the end of an overlap says so, and names the successor", async () => {
  const key = await issue();
  const { body: successor } = await rotate(key.id);
  const refusals = [
    {
      requestId: "req_late",
      atMs: NOW_MS + 3_660_000,
      reason: "expired",
      keyId: key.id,
      types: ["secret"],
      environment: null,
      address: null,
      userAgent: null,
    },
  ] as const;
  const batch = { source: "src_1", number: 1, counts: [], callers: [], refusals };
  await world.store.recordUsage([batch], NOW_MS + 3_660_000);
  const { body } = await ask("GET /v1/refusals/req_late");
  expect(body.explanation).toMatch(/at the end of its rotation's overlap; its successor is key_/);
  expect(body.explanation).toContain(successor.id);
  expect(body.late_by_ms).toBe(60_000);
});
