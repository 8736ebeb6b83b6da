import { Failure } from "@latchkey/sdk/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NOW_MS, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const KEYS = "/v1/api_keys?environment=development";
const DAY_MS = 24 * 60 * 60_000;
const iso = (ms: number): string => new Date(ms).toISOString();

const byToken = (to: string, body?: unknown) =>
  world.call(to, { token: world.acme.serviceToken, ...(body === undefined ? {} : { body }) });

const byOwner = (to: string, body?: unknown) =>
  world.call(to, {
    headers: world.browser(world.acme.people.owner.cookie, "acme"),
    ...(body === undefined ? {} : { body }),
  });

const setMaxAge = (days: number | null) =>
  byOwner("PATCH /v1/account", { api_key_max_age_days: days });

const ends = async (): Promise<(string | null)[]> => {
  const { body } = await byToken(`GET ${KEYS}&status=all`);
  return body.entries.map((key: { expires_at: string | null }) => key.expires_at);
};

test("an account is read by all of its people and its service tokens", async () => {
  const expected = {
    id: world.acme.id,
    name: "ACME",
    slug: "acme",
    created_at: iso(NOW_MS),
    api_key_max_age_days: null,
    require_two_factor: false,
  };
  expect((await byToken("GET /v1/account")).body).toEqual(expected);
  for (const { cookie } of Object.values(world.acme.people)) {
    const { body } = await world.call("GET /v1/account", {
      headers: world.browser(cookie, "acme"),
    });
    expect(body).toEqual(expected);
  }
  const theirs = await world.call("GET /v1/account", { token: world.rival.serviceToken });
  expect(theirs.body.slug).toBe("rival");
});

test("only an owner sets the maximum age, and it holds at once", async () => {
  const heard = await setMaxAge(30);
  expect([heard.status, heard.body.api_key_max_age_days]).toEqual([200, 30]);
  expect(await ends()).toEqual(Array(2).fill(iso(NOW_MS + 30 * DAY_MS)));
  await expect.poll(() => world.store.leases.pendingRevocations()).toEqual([]);
  for (const role of ["admin", "member", "support"] as const) {
    const headers = world.browser(world.acme.people[role].cookie, "acme");
    const body = { api_key_max_age_days: null };
    expect((await world.call("PATCH /v1/account", { headers, body })).status).toBe(403);
  }
  expect((await byToken("PATCH /v1/account", { api_key_max_age_days: null })).status).toBe(403);
  expect((await byToken("GET /v1/account")).body.api_key_max_age_days).toBe(30);
  const rival = await world.call(`GET ${KEYS}`, { token: world.rival.serviceToken });
  for (const key of rival.body.entries) expect(key.expires_at).toBeNull();
});

test("a later end is refused with the latest that there is, and none given is that", async () => {
  await setMaxAge(30);
  world.clock.nowMs += DAY_MS;
  const latest = iso(NOW_MS + 31 * DAY_MS);
  const made = await byToken(`POST ${KEYS}`, { type: "secret" });
  expect(made.body.expires_at).toBe(latest);
  const late = { expires_at: iso(NOW_MS + 31 * DAY_MS + 1) };
  const { id } = made.body;
  for (const heard of [
    await byToken(`POST ${KEYS}`, { type: "secret", ...late }),
    await byToken(`PATCH /v1/api_keys/${id}`, late),
    await byToken(`PATCH /v1/api_keys/${id}`, { expires_at: null }),
    await byToken(`POST /v1/api_keys/${id}/rotate`, { overlap_seconds: 60, ...late }),
    await byToken(`POST /v1/api_keys/${id}/rotate`, { overlap_seconds: 60, expires_at: null }),
  ]) {
    expect([heard.status, heard.body.code], heard.text).toEqual([422, "invalid_params"]);
    expect(heard.body.errors).toEqual([
      { field: "expires_at", message: expect.stringContaining(latest) },
    ]);
  }
  const rotated = await byToken(`POST /v1/api_keys/${id}/rotate`, { overlap_seconds: 60 });
  expect(rotated.body.expires_at).toBe(latest);
  await byToken("POST /v1/environments", { name: "Staging", slug: "staging" });
  const staging = await byToken("GET /v1/api_keys?environment=staging");
  expect(staging.body.entries.map((key: { expires_at: string }) => key.expires_at)).toEqual([
    latest,
    latest,
  ]);
});

test("raising and clearing it put nobody's end off", async () => {
  await setMaxAge(10);
  const before = await ends();
  for (const days of [20, null]) {
    const heard = await setMaxAge(days);
    expect(heard.body.api_key_max_age_days).toBe(days);
    expect(await ends()).toEqual(before);
  }
  expect((await byToken(`POST ${KEYS}`, { type: "secret" })).body.expires_at).toBeNull();
});

test("it is a whole number of days, from one to ten years of them", async () => {
  for (const days of [0, -1, 3_651, 1.5, "30", true, undefined, [], {}]) {
    const heard = await byOwner("PATCH /v1/account", { api_key_max_age_days: days });
    expect([heard.status, heard.body.code], String(days)).toEqual([422, "invalid_params"]);
  }
  for (const body of [{}, { name: "Mine" }, { api_key_max_age_days: 1, slug: "x" }])
    expect((await byOwner("PATCH /v1/account", body)).status).toBe(422);
  expect((await byToken("GET /v1/account")).body.api_key_max_age_days).toBeNull();
  for (const days of [1, 3_650]) expect((await setMaxAge(days)).status).toBe(200);
});

test("it is a 503 until what it brought forward is proved to be known, and repeating goes on", async () => {
  let unproved = true;
  await world.close();
  world = await openWorld(({ barrier }) => ({
    barrier: {
      ...barrier,
      complete: (seq) =>
        unproved
          ? Promise.reject(new Failure("service_unavailable", "unproved"))
          : barrier.complete(seq),
    },
  }));
  for (let time = 0; time < 2; time++) expect((await setMaxAge(30)).status).toBe(503);
  unproved = false;
  expect((await setMaxAge(30)).status).toBe(200);
  const events = await world.db
    .selectFrom("audit_event")
    .select("details")
    .where("action", "=", "account.updated")
    .execute();
  expect(events).toHaveLength(1);
});
