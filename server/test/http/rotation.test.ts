import { Failure } from "@latchkey/sdk/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Heard, NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const KEYS = "/v1/api_keys?environment=development";
const HOUR_MS = 60 * 60_000;
const iso = (ms: number): string => new Date(ms).toISOString();

const ask = (to: string, body?: unknown, headers: Record<string, string> = {}): Promise<Heard> =>
  world.call(to, {
    token: world.acme.serviceToken,
    headers,
    ...(body === undefined ? {} : { body }),
  });

async function issue(body: object = {}) {
  const heard = await ask(`POST ${KEYS}`, { type: "secret", ...body });
  expect(heard.status, heard.text).toBe(201);
  return heard.body;
}

const rotate = (id: string, body: object = {}, headers: Record<string, string> = {}) =>
  ask(`POST /v1/api_keys/${id}/rotate`, { overlap_seconds: 3_600, ...body }, headers);

const read = async (id: string) => (await ask(`GET /v1/api_keys/${id}`)).body;

/** What a verifier says of a token. */
async function verdict(token: string): Promise<string> {
  const { body } = await world.call("POST /v1/api_keys/verify", {
    token: world.tokens.verifier,
    body: { api_key: token, type: "any" },
  });
  return body.valid ? "accepted" : body.code;
}

const everything = async () => [
  await world.db.selectFrom("api_key").selectAll().execute(),
  await world.db.selectFrom("change").selectAll().execute(),
  (await world.db.selectFrom("audit_event").select("id").execute()).length,
];

describe("a rotation", () => {
  test("answers with the successor, its token this once, and the old key as it is now", async () => {
    const old = await issue({ description: "CI", metadata: { team: "billing" } });
    world.clock.nowMs += 1_000;
    const heard = await rotate(old.id);
    expect(heard.status, heard.text).toBe(201);
    const { api_key: token, predecessor, ...successor } = heard.body;
    const { api_key: oldToken, ...before } = old;
    expect(token).toMatch(/^sk_[0-9A-Za-z]{36}$/);
    expect(successor).toEqual({
      ...before,
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      hint: `sk_…${token.slice(-4)}`,
      created_at: iso(NOW_MS + 1_000),
      rotated_from: old.id,
    });
    expect(predecessor).toEqual({
      ...before,
      expires_at: iso(NOW_MS + 1_000 + HOUR_MS),
      rotated_to: successor.id,
      overlap: { seconds: 3_600, started_at: iso(NOW_MS + 1_000) },
    });
    expect([await read(old.id), await read(successor.id)]).toEqual([predecessor, successor]);
    expect([await verdict(oldToken), await verdict(token)]).toEqual(["accepted", "accepted"]);
    world.clock.nowMs += HOUR_MS;
    expect([await verdict(oldToken), await verdict(token)]).toEqual([
      "api_key_expired",
      "accepted",
    ]);
    expect(world.log.join("")).not.toContain(token);
  });

  test("of a public key makes a public one, which can be read again", async () => {
    const old = await issue({ type: "public" });
    const { body } = await rotate(old.id);
    expect(body.api_key).toMatch(/^pk_/);
    expect((await read(body.id)).api_key).toBe(body.api_key);
    expect(body.predecessor.api_key).toBe(old.api_key);
  });

  test("without an overlap revokes the old key, with the receipt", async () => {
    const old = await issue();
    const { status, body } = await rotate(old.id, { overlap_seconds: 0 });
    expect(status).toBe(201);
    expect(body.predecessor).toMatchObject({
      revoked_at: iso(NOW_MS),
      rotated_to: body.id,
      overlap: null,
      revocation: { state: "effective" },
    });
    expect(await verdict(old.api_key)).toBe("api_key_missing");
    expect(await verdict(body.api_key)).toBe("accepted");
  });

  test("that waits for the first use leaves the old key as it was", async () => {
    const old = await issue();
    const { body } = await rotate(old.id, { starts: "first_use" });
    expect(body.predecessor).toMatchObject({
      expires_at: null,
      overlap: { seconds: 3_600, started_at: null },
    });
    world.clock.nowMs += 400 * 24 * HOUR_MS;
    expect(await verdict(old.api_key)).toBe("accepted");
  });

  test("gives the successor the lifetime that the old key was made for, unless told", async () => {
    const day = { expires_at: iso(NOW_MS + 24 * HOUR_MS) };
    const ids = [(await issue(day)).id, (await issue(day)).id, (await issue(day)).id];
    world.clock.nowMs += HOUR_MS;
    const [usual, never, own] = [
      await rotate(ids[0]),
      await rotate(ids[1], { expires_at: null }),
      await rotate(ids[2], { expires_at: "2026-02-03T00:00:00+01:00" }),
    ];
    expect([usual.body.expires_at, never.body.expires_at, own.body.expires_at]).toEqual([
      iso(NOW_MS + 25 * HOUR_MS),
      null,
      "2026-02-02T23:00:00.000Z",
    ]);
  });

  test("gives the successor no end past the last date that there is", async () => {
    const last = "9999-12-31T23:59:59.999Z";
    const { id } = await issue({ expires_at: last });
    world.clock.nowMs += 1;
    const heard = await rotate(id);
    expect([heard.status, heard.body.expires_at]).toEqual([201, last]);
  });

  test("is one of a key that lives, once, and again when the successor has ended", async () => {
    const dying = await issue({ expires_at: iso(NOW_MS + 1_000) });
    const old = await issue();
    const first = await rotate(old.id);
    const revoked = await issue();
    await ask(`POST /v1/api_keys/${revoked.id}/revoke`);
    world.clock.nowMs += 1_000;
    const before = await everything();
    for (const [id, message] of [
      [dying.id, /has expired/],
      [revoked.id, /was revoked/],
      [old.id, /rotated already/],
    ] as const) {
      const heard = await rotate(id);
      expect([heard.status, heard.body.code]).toEqual([409, "conflict"]);
      expect(heard.body.message).toMatch(message);
    }
    expect(await everything()).toEqual(before);
    await ask(`POST /v1/api_keys/${first.body.id}/revoke`, { reason: "token lost" });
    const again = await rotate(old.id);
    expect(again.status, again.text).toBe(201);
    expect(again.body.predecessor.rotated_to).toBe(again.body.id);
  });

  test("repeated with its Idempotency-Key is the same rotation, without the token", async () => {
    const old = await issue();
    const once = { "Idempotency-Key": "rotation-1" };
    const first = await rotate(old.id, {}, once);
    expect(first.headers.get("Idempotent-Replayed")).toBeNull();
    const { api_key: token, ...rest } = first.body;
    await ask(`PATCH /v1/api_keys/${old.id}`, { description: "meanwhile" });
    const before = await everything();
    const again = await rotate(old.id, {}, once);
    expect([again.status, again.headers.get("Idempotent-Replayed")]).toEqual([201, "true"]);
    expect(again.body).toEqual({
      ...rest,
      predecessor: { ...rest.predecessor, description: "meanwhile" },
    });
    expect(again.text).not.toContain(token);
    const other = await rotate(old.id, { overlap_seconds: 60 }, once);
    expect([other.status, other.body.code]).toEqual([422, "idempotency_mismatch"]);
    expect(await everything()).toEqual(before);
  });

  test("of many at once is done once", async () => {
    const old = await issue();
    const heard = await Promise.all(Array.from({ length: 10 }, () => rotate(old.id)));
    expect(heard.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    expect(heard.filter(({ text }) => text.includes("sk_"))).not.toHaveLength(0);
    const { api_key: token } = heard.find(({ status }) => status === 201)?.body ?? {};
    expect(await verdict(token)).toBe("accepted");
  });

  test("takes no value that means nothing, and then does nothing", async () => {
    const old = await issue();
    const before = await everything();
    const wrong: [object, string][] = [
      [{ overlap_seconds: undefined }, "overlap_seconds"],
      [{ overlap_seconds: -1 }, "overlap_seconds"],
      [{ overlap_seconds: 2_592_001 }, "overlap_seconds"],
      [{ overlap_seconds: 1.5 }, "overlap_seconds"],
      [{ overlap_seconds: "60" }, "overlap_seconds"],
      [{ overlap_seconds: null }, "overlap_seconds"],
      [{ overlap_seconds: 1e300 }, "overlap_seconds"],
      [{ starts: "later" }, "starts"],
      [{ starts: null }, "starts"],
      [{ overlap_seconds: 0, starts: "first_use" }, "starts"],
      [{ expires_at: "tomorrow" }, "expires_at"],
      [{ expires_at: iso(NOW_MS) }, "expires_at"],
      [{ expires_at: "1969-01-01T00:00:00Z" }, "expires_at"],
      [{ expires_at: 1 }, "expires_at"],
      [{ expire_at: null }, "expire_at"],
      [{ type: "public" }, "type"],
      [{ description: "x" }, "description"],
    ];
    for (const [body, field] of wrong) {
      const heard = await rotate(old.id, body);
      expect([heard.status, heard.body.code], JSON.stringify(body)).toEqual([
        422,
        "invalid_params",
      ]);
      expect(heard.body.errors[0].field).toBe(field);
    }
    for (const query of ["?wait=false", "?environment=development"])
      expect((await ask(`POST /v1/api_keys/${old.id}/rotate${query}`, {})).status).toBe(422);
    for (const body of ["[]", "null", '"x"', "{", ""]) {
      const { serviceToken: token } = world.acme;
      const heard = await world.call(`POST /v1/api_keys/${old.id}/rotate`, { token, raw: body });
      expect([400, 422], body).toContain(heard.status);
    }
    for (const id of ["key_", "key_0", old.id.toUpperCase(), "..%2F"])
      expect((await rotate(id)).status).toBe(404);
    expect(await everything()).toEqual(before);
  });

  test("answers with its token also when its end cannot be proved to be known", async () => {
    const own = await openWorld(() => ({
      barrier: {
        publish: async () => {},
        complete: () => Promise.reject(new Failure("service_unavailable", "unproved")),
        completePending: async () => {},
      },
    }));
    const said = { token: own.acme.serviceToken };
    const make = async () =>
      (await own.call(`POST ${KEYS}`, { ...said, body: { type: "secret" } })).body;
    for (const [seconds, state] of [
      [0, "pending"],
      [60, undefined],
    ] as const) {
      const old = await make();
      const to = `POST /v1/api_keys/${old.id}/rotate`;
      const heard = await own.call(to, { ...said, body: { overlap_seconds: seconds } });
      expect(heard.status, heard.text).toBe(201);
      expect(heard.body.api_key).toMatch(/^sk_/);
      expect(heard.body.predecessor.revocation?.state).toBe(state);
    }
    expect(await own.store.leases.pendingRevocations()).toHaveLength(2);
    await own.close();
  });

  test("is finished by revoking the old key, whatever state it is in", async () => {
    for (const starts of ["now", "first_use"]) {
      const old = await issue();
      const { body } = await rotate(old.id, { starts });
      const heard = await ask(`POST /v1/api_keys/${old.id}/revoke`);
      expect(heard.status).toBe(200);
      expect(heard.body).toMatchObject({ rotated_to: body.id, revocation: { state: "effective" } });
      expect(await verdict(old.api_key)).toBe("api_key_missing");
      expect(await verdict(body.api_key)).toBe("accepted");
    }
  });

  test("is told in the audit log, of both keys", async () => {
    const old = await issue();
    const { body } = await rotate(old.id, { overlap_seconds: 0 });
    const events = await world.db
      .selectFrom("audit_event")
      .select(["action", "subject_id", "details", "request_id", "actor_type"])
      .where("subject_id", "in", [old.id, body.id])
      .where("at", ">=", NOW_MS)
      .orderBy("id")
      .execute();
    expect(events.slice(1).map(({ action, subject_id: id }) => [action, id])).toEqual([
      ["api_key.rotated", old.id],
      ["api_key.created", body.id],
      ["api_key.revoked", old.id],
    ]);
    expect(JSON.parse(events[1]?.details ?? "")).toEqual({
      type: "secret",
      hint: old.hint,
      rotated_to: body.id,
      rotated_to_hint: body.hint,
      overlap_seconds: 0,
      starts: "now",
    });
    expect(JSON.parse(events[2]?.details ?? "")).toMatchObject({ rotated_from: old.id });
    expect(new Set(events.slice(1).map(({ request_id: id }) => id)).size).toBe(1);
  });
});
