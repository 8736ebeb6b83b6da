import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, count, DAY_MS, HOUR_MS, openUsageStage, type UsageStage } from "./usage-stage.ts";

let world: UsageStage["world"];
let ask: UsageStage["ask"];
let record: UsageStage["record"];
/** Keys of acme's by environment: a secret and a public one each, and a third in development. */
let development: string[];
let production: string[];

beforeEach(async () => {
  ({ world, ask, record, development, production } = await openUsageStage());
});
afterEach(() => world.close());

describe("usage as CSV", () => {
  test("has a heading, a line for each entry, and the name of a file", async () => {
    await record(
      count(production[0], HOUR_MS, { accepted: 3, revoked: 1 }),
      count(production[1], 0, { accepted: 2 }),
    );
    const heard = await ask("GET /v1/usage?format=csv&environment=production");
    expect(heard.headers.get("Content-Type")).toMatch(/^text\/csv; charset=utf-8/);
    expect(heard.headers.get("Content-Disposition")).toBe(
      'attachment; filename="latchkey-usage-production-20260130T090000Z-20260131T093000Z.csv"',
    );
    expect(heard.headers.get("Cache-Control")).toBe("no-store");
    expect(heard.headers.get("X-Request-Id")).toMatch(/^req_/);
    expect(heard.text).toBe(
      [
        "at,outcome,count",
        `${at(HOUR_MS, HOUR_MS)},accepted,3`,
        `${at(HOUR_MS, HOUR_MS)},revoked,1`,
        `${at(0, HOUR_MS)},accepted,2`,
        "",
      ].join("\r\n"),
    );
  });

  test("names its keys, runs nothing in a spreadsheet, and leaves no key out", async () => {
    const [dangerous, ...rest] = development;
    await record(
      ...[dangerous, ...rest, ...production].map((key) => count(key, 0, { accepted: 1 })),
      count(dangerous, HOUR_MS, { expired: 4 }),
    );
    const query = "format=csv&granularity=day&group_by=key,environment,outcome";
    const { text } = await ask(`GET /v1/usage?${query}`);
    const [heading, ...lines] = text.trimEnd().split("\r\n");
    expect(heading).toBe("at,api_key_id,hint,description,environment,outcome,count");
    expect(lines).toHaveLength(6);
    const { hint } = (await ask(`GET /v1/api_keys/${dangerous}`)).body;
    const told = `${at(0, DAY_MS)},${dangerous},${hint},"'=cmd|""/C calc""!A1",development`;
    expect(lines).toContain(`${told},accepted,1`);
    expect(lines).toContain(`${told},expired,4`);
    for (const key of [...rest, ...production]) expect(text).toContain(`,${key},`);
  });

  test("answers HEAD like GET, without the table", async () => {
    await record(count(production[0], 0, { accepted: 1 }));
    const heard = await ask("HEAD /v1/usage?format=csv&group_by=key");
    expect([heard.status, heard.text]).toEqual([200, ""]);
    expect(heard.headers.get("Content-Disposition")).toContain("latchkey-usage-all-");
  });

  test("of nothing has a heading", async () => {
    const headings = async (query: string) => (await ask(`GET /v1/usage?format=csv${query}`)).text;
    expect(await headings("")).toBe("at,outcome,count\r\n");
    expect(await headings("&group_by=")).toBe("at,count\r\n");
    expect(await headings("&group_by=key")).toBe("at,api_key_id,hint,description,count\r\n");
  });

  test("of one key is its own", async () => {
    const [key] = production;
    await record(count(key, 0, { accepted: 2 }), count(production[1], 0, { accepted: 5 }));
    const heard = await ask(`GET /v1/api_keys/${key}/usage?format=csv&granularity=day`);
    expect(heard.headers.get("Content-Disposition")).toContain(`"latchkey-usage-${key}-2026`);
    expect(heard.text).toBe(`at,outcome,count\r\n${at(0, DAY_MS)},accepted,2\r\n`);
  });
});
