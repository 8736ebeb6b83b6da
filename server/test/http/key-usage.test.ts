import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, count, DAY_MS, HOUR_MS, openUsageStage, type UsageStage } from "./usage-stage.ts";
import { NOW_MS } from "./world.ts";

let world: UsageStage["world"];
let ask: UsageStage["ask"];
let record: UsageStage["record"];
/** Keys of acme's in production: a secret and a public one. */
let production: string[];

beforeEach(async () => {
  ({ world, ask, record, production } = await openUsageStage());
});
afterEach(() => world.close());

describe("GET /v1/api_keys/{id}/usage", () => {
  test("tells how a key was used, by whom, and when last", async () => {
    const [key, other] = production;
    await record(
      count(key, 0, { accepted: 3 }),
      count(key, 2 * HOUR_MS, { revoked: 2, type: 1 }),
      count(key, 3 * DAY_MS, { accepted: 10, environment: 1 }),
      count(key, 9 * DAY_MS, { accepted: 1_000 }),
      count(other, 0, { accepted: 77 }),
    );
    const use = { keyId: key ?? "", firstMs: NOW_MS - 2 * DAY_MS, count: 5 };
    const caller = { address: "203.0.113.7", userAgent: "curl/8.5.0", lastMs: NOW_MS - 5_000 };
    const unknown = { address: null, userAgent: null, lastMs: NOW_MS - DAY_MS - 5_000 };
    const callers = [
      { ...use, ...unknown },
      { ...use, ...caller },
    ];
    const batch = { source: "src_callers", number: 1, counts: [], refusals: [], callers };
    await world.store.recordUsage([batch], NOW_MS);

    const heard = await ask(`GET /v1/api_keys/${key}/usage`);
    expect(heard.body).toEqual({
      from: "2026-01-30T09:00:00.000Z",
      to: new Date(NOW_MS).toISOString(),
      granularity: "hour",
      entries: [
        { at: at(2 * HOUR_MS, HOUR_MS), outcome: "revoked", count: 2 },
        { at: at(2 * HOUR_MS, HOUR_MS), outcome: "incorrect_token_type", count: 1 },
        { at: at(0, HOUR_MS), outcome: "accepted", count: 3 },
      ],
      totals: {
        last_24_hours: { accepted: 3, refused: 3 },
        last_7_days: { accepted: 13, refused: 4 },
      },
      last_used_at: new Date(NOW_MS).toISOString(),
      callers: [
        {
          address: "203.0.113.7",
          user_agent: "curl/8.5.0",
          first_seen_at: new Date(use.firstMs).toISOString(),
          last_seen_at: new Date(caller.lastMs).toISOString(),
          count: 5,
        },
        {
          address: null,
          user_agent: null,
          first_seen_at: new Date(use.firstMs).toISOString(),
          last_seen_at: new Date(unknown.lastMs).toISOString(),
          count: 5,
        },
      ],
      callers_last_24_hours: 1,
    });
  });

  test("of a key that was never used says so", async () => {
    const heard = await ask(`GET /v1/api_keys/${production[0]}/usage?granularity=day`);
    expect(heard.body).toMatchObject({
      entries: [],
      totals: {
        last_24_hours: { accepted: 0, refused: 0 },
        last_7_days: { accepted: 0, refused: 0 },
      },
      last_used_at: null,
      callers: [],
      callers_last_24_hours: 0,
    });
  });

  test("is still there when the key was revoked", async () => {
    await record(count(production[0], 0, { accepted: 1, revoked: 2 }));
    await ask(`POST /v1/api_keys/${production[0]}/revoke`, {});
    const heard = await ask(`GET /v1/api_keys/${production[0]}/usage`);
    expect(heard.body.totals.last_24_hours).toEqual({ accepted: 1, refused: 2 });
  });

  test.each(["", "?format=csv"])("of a key that is not there%s is a 404", async (query) => {
    for (const key of [`key_${"0".repeat(32)}`, "key_1", "..%2Fx", "x".repeat(300)]) {
      const heard = await ask(`GET /v1/api_keys/${key}/usage${query}`);
      expect([heard.status, heard.body.code]).toEqual([404, "resource_missing"]);
    }
  });

  test.each([
    ["group_by=key", "group_by"],
    ["environment=production", "environment"],
    ["top=5", "top"],
    ["from=2026-02-01T00:00:00Z", "from"],
    ["granularity=minute&from=2026-01-01T00:00:00Z&format=csv", "from"],
  ])("%s is a 422 about it", async (query, field) => {
    const heard = await ask(`GET /v1/api_keys/${production[0]}/usage?${query}`);
    expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    expect(heard.body.errors.map((wrong: { field: string }) => wrong.field)).toEqual([field]);
  });
});
