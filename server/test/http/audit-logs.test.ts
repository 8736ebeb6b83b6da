import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AUDIT_ACTIONS } from "../../src/store/store.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const ask = (to: string, body?: object, token = world.acme.serviceToken) =>
  world.call(to, { token, ...(body === undefined ? {} : { body }) });

async function newKey(description = ""): Promise<{ id: string; hint: string }> {
  const body = { type: "secret", description };
  return (await ask("POST /v1/api_keys?environment=development", body)).body;
}

async function actions(query = ""): Promise<string[]> {
  const heard = await ask(`GET /v1/audit_logs${query}`);
  expect(heard.status, heard.text).toBe(200);
  return heard.body.entries.map(({ action }: { action: string }) => action);
}

describe("the audit log", () => {
  test("tells a change as it was made", async () => {
    const key = await newKey("Checkout");
    world.clock.nowMs += 60_000;
    const { cookie, id } = world.acme.people.owner;
    const revoked = await world.call(`POST /v1/api_keys/${key.id}/revoke`, {
      headers: world.browser(cookie, "acme"),
      body: { reason: "Leaked" },
    });
    const { body } = await ask("GET /v1/audit_logs?page_size=1");
    expect(body).toEqual({
      entries: [
        {
          id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
          at: "2026-01-31T09:31:00.123Z",
          action: "api_key.revoked",
          actor: { type: "person", id, name: "owner" },
          environment: "development",
          subject: { type: "api_key", id: key.id, name: "Checkout" },
          api_key: { id: key.id, hint: key.hint, description: "Checkout" },
          address: "192.0.2.7",
          user_agent: "test",
          request_id: revoked.headers.get("X-Request-Id"),
          details: { type: "secret", hint: key.hint, reason: "Leaked" },
        },
      ],
      page_info: { after: body.entries[0].id, before: null, page_size: 1 },
    });
  });

  test("tells what an edit altered, before and after, with times as times", async () => {
    const key = await newKey("Old");
    const expires_at = "2026-03-01T00:00:00.000Z";
    const body = { description: "New", metadata: { team: "a" }, expires_at };
    await ask(`PATCH /v1/api_keys/${key.id}`, body);
    const heard = await ask("GET /v1/audit_logs?action=api_key.edited");
    expect(heard.body.entries[0].details).toEqual({
      type: "secret",
      hint: key.hint,
      fields: ["description", "metadata", "expires_at"],
      description: "New",
      description_before: "Old",
      metadata: { team: "a" },
      metadata_before: { team: null },
      expires_at,
      expires_at_before: null,
    });
  });

  test("is narrowed by who, what, which key and when", async () => {
    const key = await newKey();
    const rotated = await ask(`POST /v1/api_keys/${key.id}/rotate`, { overlap_seconds: 60 });
    await ask("POST /v1/service_tokens", { name: "Deploys" });
    const ofKeys = ["api_key.created", "api_key.rotated", "api_key.created"];
    expect(await actions("?action=api_key.*")).toEqual(ofKeys);
    expect(await actions(`?api_key_id=${key.id}`)).toEqual(ofKeys.slice(1));
    expect(await actions(`?api_key_id=${rotated.body.id}`)).toEqual(ofKeys.slice(0, 2));
    expect(await actions(`?subject=${rotated.body.id}`)).toEqual(["api_key.created"]);
    expect(await actions("?actor=test&action=account.created")).toEqual(["account.created"]);
    expect(await actions("?actor=per_nobody")).toEqual([]);
    expect(await actions("?from=2026-02-01T00:00:00Z")).toEqual([]);
    expect(await actions("?to=2026-01-31T09:30:00.123Z")).toEqual([]);
    expect((await actions("?from=2026-01-31T09:30:00.123Z")).length).toBe(5);
    expect((await ask("GET /v1/audit_logs", undefined, world.rival.serviceToken)).text).not.toMatch(
      key.id,
    );
  });

  test.each([
    ["action=api_key", "action"],
    ["action=api_key.vanished", "action"],
    ["action=nothing.*", "action"],
    ["action=*", "action"],
    ["actor=%0a", "actor"],
    ["api_key_id=tok_1", "api_key_id"],
    ["from=yesterday", "from"],
    ["from=2026-02-01T00:00:00Z&to=2026-02-01T00:00:00Z", "to"],
    ["format=xml", "format"],
    [`format=csv&after=evt_${"0".repeat(32)}`, "after"],
    [`format=jsonl&before=evt_${"0".repeat(32)}`, "before"],
    [`after=evt_${"0".repeat(32)}`, "after"],
    ["page_size=201", "page_size"],
    ["since=2026", "since"],
  ])("refuses %s", async (query, field) => {
    const heard = await ask(`GET /v1/audit_logs?${query}`);
    expect([heard.status, heard.body.errors?.[0]?.field]).toEqual([422, field]);
  });

  test("is exported whole, as lines of JSON or as a table, past many pages", async () => {
    for (let made = 0; made < 30; made++) await newKey(`Key ${made}`);
    const copies = await world.db.selectFrom("audit_event").selectAll().execute();
    // More than are read at once, twice over.
    for (let copy = 0; copy < 40; copy++)
      await world.db
        .insertInto("audit_event")
        .values(copies.map((row) => ({ ...row, id: world.deps.ambient.sortableId("evt") })))
        .execute();
    const { body } = await ask("GET /v1/audit_logs?page_size=1");
    const lines = await ask("GET /v1/audit_logs?format=jsonl");
    expect(lines.headers.get("Content-Type")).toMatch(/^application\/x-ndjson/);
    expect(lines.headers.get("Content-Disposition")).toBe(
      'attachment; filename="latchkey-audit-log-20260131T093000Z.jsonl"',
    );
    const entries = lines.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const ids = entries.map(({ id }) => id);
    expect(entries[0]).toEqual(body.entries[0]);
    expect(ids.length).toBeGreaterThan(1_200);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());

    const table = await ask("GET /v1/audit_logs?format=csv");
    expect(table.headers.get("Content-Type")).toMatch(/^text\/csv/);
    const rows = table.text.trimEnd().split("\r\n");
    expect(rows[0]).toBe(
      "id,at,action,actor_type,actor_id,actor_name,environment,subject_type,subject_id,subject_name,api_key_id,api_key_hint,api_key_description,address,user_agent,request_id,details",
    );
    expect(rows.slice(1).map((row) => row.split(",")[0])).toEqual(ids);
  });

  test("runs no formula in a spreadsheet", async () => {
    await newKey("=HYPERLINK(1)");
    const { text } = await ask("GET /v1/audit_logs?format=csv&action=api_key.*");
    expect(text).toContain(",'=HYPERLINK(1),");
    expect(text).not.toMatch(/[,\n"]=HYPERLINK/);
  });
});

describe("the operator's audit log", () => {
  test("has what belongs to no account, and nothing else", async () => {
    await newKey();
    const body = { kind: "verifier", name: "Edge" };
    const { id } = (await ask("POST /v1/tokens", body, world.tokens.operator)).body;
    const heard = await ask("GET /v1/operator/audit_logs", undefined, world.tokens.operator);
    expect(heard.status, heard.text).toBe(200);
    expect(
      heard.body.entries.map((one: { action: string; subject: object }) => [
        one.action,
        one.subject,
      ]),
    ).toEqual([["access_token.created", { type: "access_token", id, name: "Edge" }]]);
    const table = await ask(
      "GET /v1/operator/audit_logs?format=csv&action=access_token.*",
      undefined,
      world.tokens.operator,
    );
    expect(table.text).toContain(id);
  });

  test("takes no API key to look for", async () => {
    const to = `GET /v1/operator/audit_logs?api_key_id=key_${"0".repeat(32)}`;
    expect((await ask(to, undefined, world.tokens.operator)).status).toBe(422);
  });
});

test("docs/audit-log.md has every action, once, and no other", () => {
  const page = readFileSync(new URL("../../../docs/audit-log.md", import.meta.url), "utf8");
  const section = page.split("## Actions\n")[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| `([a-z_.]+)` +\| `([a-z_]+)` +\| .+\|$/gm)];
  expect(rows.map(([, action]) => action).sort()).toEqual([...AUDIT_ACTIONS].sort());
});
