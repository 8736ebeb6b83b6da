import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  at,
  count,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  openUsageStage,
  type UsageStage,
} from "./usage-stage.ts";
import { NOW_MS } from "./world.ts";

let world: UsageStage["world"];
let ask: UsageStage["ask"];
let keysOf: UsageStage["keysOf"];
let record: UsageStage["record"];
/** Keys of acme's by environment: a secret and a public one each, and a third in development. */
let development: string[];
let production: string[];

beforeEach(async () => {
  ({ world, ask, keysOf, record, development, production } = await openUsageStage());
});
afterEach(() => world.close());

async function entries(query = ""): Promise<Record<string, unknown>[]> {
  const heard = await ask(`GET /v1/usage${query}`);
  expect(heard.status, heard.text).toBe(200);
  return heard.body.entries;
}

/** More keys in production. */
async function more(howMany: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < howMany; n += 1) {
    const made = await ask("POST /v1/api_keys?environment=production", { type: "secret" });
    ids.push(made.body.id);
  }
  return ids;
}

describe("GET /v1/usage", () => {
  test("is the last 24 hours by outcome, the oldest first, when nothing is asked for", async () => {
    await record(
      count(production[0], 0, { accepted: 3, revoked: 1 }),
      count(development[0], MINUTE_MS, { accepted: 4 }),
      count(development[1], 3 * HOUR_MS, { type: 2, environment: 5, expired: 7 }),
      count(development[1], 25 * HOUR_MS, { accepted: 100 }),
    );
    const heard = await ask("GET /v1/usage");
    expect(heard.body).toEqual({
      from: "2026-01-30T09:00:00.000Z",
      to: new Date(NOW_MS).toISOString(),
      granularity: "hour",
      entries: [
        { at: at(3 * HOUR_MS, HOUR_MS), outcome: "expired", count: 7 },
        { at: at(3 * HOUR_MS, HOUR_MS), outcome: "incorrect_token_type", count: 2 },
        { at: at(3 * HOUR_MS, HOUR_MS), outcome: "environment_mismatch", count: 5 },
        { at: at(0, HOUR_MS), outcome: "accepted", count: 7 },
        { at: at(0, HOUR_MS), outcome: "revoked", count: 1 },
      ],
    });
  });

  test("of nothing has no entries", async () => {
    expect(await entries()).toEqual([]);
    expect(await entries("?group_by=key,outcome,environment&granularity=day")).toEqual([]);
  });

  test("has the fields that it is grouped by, and no other", async () => {
    const [key, other] = [development[0], production[0]];
    await record(count(key, 0, { accepted: 2, revoked: 1 }), count(other, 0, { accepted: 4 }));
    const hour = { at: at(0, HOUR_MS) };
    expect(await entries("?group_by=")).toEqual([{ ...hour, count: 7 }]);
    const grouped = async (by: string) => new Set(await entries(`?group_by=${by}`));
    expect(await grouped("environment")).toEqual(
      new Set([
        { ...hour, environment: "development", count: 3 },
        { ...hour, environment: "production", count: 4 },
      ]),
    );
    expect(await grouped("key")).toEqual(
      new Set([
        { ...hour, api_key_id: key, count: 3 },
        { ...hour, api_key_id: other, count: 4 },
      ]),
    );
    expect(await grouped("environment,outcome,key")).toEqual(
      new Set([
        { ...hour, api_key_id: key, environment: "development", outcome: "accepted", count: 2 },
        { ...hour, api_key_id: key, environment: "development", outcome: "revoked", count: 1 },
        { ...hour, api_key_id: other, environment: "production", outcome: "accepted", count: 4 },
      ]),
    );
  });

  test("by key shows the ones used most, and all others together", async () => {
    await record(
      count(development[0], 0, { accepted: 1 }),
      count(development[1], 0, { accepted: 2 }),
      count(development[2], HOUR_MS, { accepted: 1 }),
      count(development[2], 0, { accepted: 5 }),
    );
    expect(new Set(await entries("?group_by=key&top=1"))).toEqual(
      new Set([
        { at: at(HOUR_MS, HOUR_MS), api_key_id: development[2], count: 1 },
        { at: at(0, HOUR_MS), api_key_id: development[2], count: 5 },
        { at: at(0, HOUR_MS), api_key_id: null, count: 3 },
      ]),
    );
  });

  test("counts one environment, or some keys, when asked", async () => {
    await record(
      count(development[0], 0, { accepted: 1 }),
      count(production[0], 0, { accepted: 2 }),
    );
    await record(count(production[1], 0, { accepted: 4 }));
    const sum = async (query: string) => (await entries(query)).map((entry) => entry.count).join();
    expect(await sum("?environment=development")).toBe("1");
    expect(await sum("?environment=production")).toBe("6");
    expect(await sum(`?api_key_ids=${production[1]}`)).toBe("4");
    expect(await sum(`?api_key_ids=${production[1]},${development[0]}`)).toBe("5");
    expect(await sum(`?api_key_ids=${production[1]}&environment=development`)).toBe("");
    expect(await sum("?api_key_ids=")).toBe("");
    expect(await sum(`?api_key_ids=key_${"0".repeat(32)}`)).toBe("");
  });

  test("reads minutes and days too, from the bucket that it begins in to before its end", async () => {
    await record(
      count(development[0], 0, { accepted: 1 }),
      count(development[0], 2 * MINUTE_MS, { accepted: 2 }),
      count(development[0], 29 * DAY_MS, { accepted: 4 }),
    );
    expect(await entries("?granularity=minute&group_by=")).toEqual([
      { at: at(2 * MINUTE_MS, MINUTE_MS), count: 2 },
      { at: at(0, MINUTE_MS), count: 1 },
    ]);
    expect(await entries("?granularity=day&group_by=")).toEqual([
      { at: at(29 * DAY_MS, DAY_MS), count: 4 },
      { at: at(0, DAY_MS), count: 3 },
    ]);
    const minute = "granularity=minute&group_by=";
    const from = encodeURIComponent("2026-01-31T10:28:59+01:00");
    expect(await entries(`?${minute}&from=${from}&to=2026-01-31T09:30:00Z`)).toEqual([
      { at: "2026-01-31T09:28:00.000Z", count: 2 },
    ]);
    const late = "from=2026-01-31T09:29:00Z&to=2026-01-31T09:30:00.001Z";
    expect(await entries(`?${minute}&${late}`)).toEqual([
      { at: "2026-01-31T09:30:00.000Z", count: 1 },
    ]);
  });

  test("knows nothing of another account, nor of what was deleted", async () => {
    const { rival } = world;
    const [theirs] = await keysOf("production", rival.serviceToken);
    await record(count(theirs, 0, { accepted: 9 }), count(production[0], 0, { accepted: 1 }));
    expect(await entries(`?group_by=key&api_key_ids=${theirs}`)).toEqual([]);
    expect((await entries("?group_by=key")).map(({ api_key_id }) => api_key_id)).toEqual([
      production[0],
    ]);
    const asRival = await ask("GET /v1/usage?group_by=key", undefined, rival.serviceToken);
    expect(asRival.body.entries).toMatchObject([{ api_key_id: theirs, count: 9 }]);
    await ask("DELETE /v1/environments/production");
    expect(await entries()).toEqual([]);
  });

  test.each([
    ["environment=nowhere", 404],
    ["environment=nowhere&format=csv", 404],
    ["environment=nowhere&format=csv&group_by=key", 404],
  ])("%s is not there", async (query, status) => {
    const heard = await ask(`GET /v1/usage?${query}`);
    expect([heard.status, heard.body.code]).toEqual([status, "resource_missing"]);
  });

  const id = (n: number) => `key_${String(n).padStart(32, "0")}`;
  test.each([
    ["granularity=week", "granularity"],
    ["granularity=", "granularity"],
    ["granularity=hour&granularity=day", "granularity"],
    ["group_by=keys", "group_by.0"],
    ["group_by=key,key", "group_by"],
    ["group_by=key,,outcome", "group_by.1"],
    ["from=yesterday", "from"],
    ["from=2026-01-30", "from"],
    ["from=2026-01-30T00:00:00", "from"],
    ["from=1969-12-31T23:59:59Z", "from"],
    ["from=-000001-01-01T00:00:00Z", "from"],
    [`from=2026-01-30T00:00:00.${"0".repeat(40)}Z`, "from"],
    ["to=2026-02-30T00:00:00Z", "to"],
    ["to=", "to"],
    ["from=2026-01-31T09:00:00Z&to=2026-01-31T09:00:00Z", "from"],
    ["from=2026-01-31T09:00:00Z&to=2026-01-30T09:00:00Z", "from"],
    ["from=2025-11-01T00:00:00Z", "from"],
    ["granularity=minute&from=2026-01-30T00:00:00Z", "from"],
    ["from=2025-11-01T00:00:00Z&format=csv", "from"],
    ["to=9999-12-31T23:59:59Z&from=2026-01-01T00:00:00Z", "from"],
    ["top=0", "top"],
    ["top=1001", "top"],
    ["top=1e2", "top"],
    ["top=-1", "top"],
    ["top=5&format=csv", "top"],
    ["group_by=key&top=1000&granularity=day&from=2025-01-01T00:00:00Z", "top"],
    ["api_key_ids=key_1", "api_key_ids.0"],
    [`api_key_ids=${id(1)},${id(1)}`, "api_key_ids"],
    [`api_key_ids=${Array.from({ length: 201 }, (_, n) => id(n)).join()}`, "api_key_ids"],
    ["format=xml", "format"],
    ["environment=", "environment"],
    [`environment=${"e".repeat(41)}`, "environment"],
    ["environment=a%00b", "environment"],
    ["since=2026-01-31T09:00:00Z", "since"],
  ])("%s is a 422 about it", async (query, field) => {
    const heard = await ask(`GET /v1/usage?${query}`);
    expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    expect(heard.body.errors.map((wrong: { field: string }) => wrong.field)).toEqual([field]);
  });

  test("takes two hundred keys, a thousand of the top and fifteen hundred buckets", async () => {
    const ids = Array.from({ length: 200 }, (_, n) => id(n)).join();
    expect(await entries(`?api_key_ids=${ids}&group_by=key&top=1000`)).toEqual([]);
    const minutes = "granularity=minute&from=2026-01-30T08:31:00Z&group_by=key";
    expect(await entries(`?${minutes}`)).toEqual([]);
    expect(await entries(`?${minutes}&top=1000&api_key_ids=${id(1)}`)).toEqual([]);
  });

  test("of more than an answer holds says to ask for less, and has all of it as CSV", async () => {
    const key = development[0];
    const everything = { accepted: 1, revoked: 1, expired: 1, type: 1, environment: 1 };
    const six = [...development, ...production, ...(await more(2))];
    const counts = Array.from({ length: 1_490 }, (_, minute) =>
      six.map((one) => count(one, minute * MINUTE_MS, everything)),
    ).flat();
    await record(...counts);
    const query = "granularity=minute&from=2026-01-30T08:31:00Z&group_by=key,outcome";
    const heard = await ask(`GET /v1/usage?${query}`);
    expect([heard.status, heard.body.code]).toEqual([422, "invalid_params"]);
    expect(heard.body.errors[0].message).toContain("50000");
    const table = await ask(`GET /v1/usage?${query}&format=csv`);
    expect(table.text.split("\r\n")).toHaveLength(1 + 1_490 * six.length * 5 + 1);
    expect(await entries(`?${query}&api_key_ids=${key}`)).toHaveLength(1_490 * 5);
  });
});
