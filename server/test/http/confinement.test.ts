import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ABSENT, type AccessStage, openAccessStage, withoutId } from "./access-stage.ts";
import { KEYS, type Sample } from "./route-table.ts";
import type { World } from "./world.ts";

let world: World;
/** An active secret key of acme's. */
let key: string;
/** A member of acme's. */
let memberId: string;
/** An open invitation of acme's. */
let invitationId: string;
let everything: AccessStage["everything"];

beforeEach(async () => {
  ({ world, key, memberId, invitationId, everything } = await openAccessStage());
});
afterEach(() => world.close());

describe("what belongs to another account", () => {
  test("answers like what is not there, byte for byte", async () => {
    const token = world.rival.serviceToken;
    const made = { name: "Secret plan", slug: "secret-plan" };
    await world.call("POST /v1/environments", { token: world.acme.serviceToken, body: made });
    const before = await everything();
    const pairs: [Sample["to"], string, string, object?][] = [
      ["GET /v1/api_keys/{}", key, `key_${"0".repeat(32)}`],
      ["GET /v1/api_keys/{}/usage", key, `key_${"0".repeat(32)}`],
      ["GET /v1/api_keys/{}/usage?format=csv", key, `key_${"0".repeat(32)}`],
      ["GET /v1/usage?environment={}", "secret-plan", "no-such-plan"],
      ["GET /v1/usage?format=csv&environment={}", "secret-plan", "no-such-plan"],
      ["GET /v1/refusals/{}", "req_acme", "req_absent"],
      ["GET /v1/refusals/{}", "req_nobody", "req_absent"],
      ["GET /v1/refusals?environment={}", "secret-plan", "no-such-plan"],
      ["GET /v1/refusals?after={}", "req_acme", "req_absent"],
      ["PATCH /v1/api_keys/{}", key, `key_${"0".repeat(32)}`, { description: "mine" }],
      ["PATCH /v1/api_keys/{}", key, `key_${"0".repeat(32)}`, { expires_at: null }],
      ["POST /v1/api_keys/{}/revoke", key, `key_${"0".repeat(32)}`, {}],
      ["POST /v1/api_keys/{}/rotate", key, `key_${"0".repeat(32)}`, { overlap_seconds: 0 }],
      ["GET /v1/members/{}", memberId, ABSENT["{member}"] ?? ""],
      ["GET /v1/members?after={}", memberId, ABSENT["{member}"] ?? ""],
      ["PATCH /v1/members/{}", memberId, ABSENT["{member}"] ?? "", { role: "admin" }],
      ["DELETE /v1/members/{}", memberId, ABSENT["{member}"] ?? ""],
      ["GET /v1/invitations?after={}", invitationId, ABSENT["{invitation}"] ?? ""],
      ["POST /v1/invitations/{}/send", invitationId, ABSENT["{invitation}"] ?? "", {}],
      ["DELETE /v1/invitations/{}", invitationId, ABSENT["{invitation}"] ?? ""],
      ["PATCH /v1/environments/{}", "secret-plan", "no-such-plan", { name: "mine" }],
      ["DELETE /v1/environments/{}", "secret-plan", "no-such-plan"],
      ["GET /v1/api_keys?environment={}", "secret-plan", "no-such-plan"],
      ["POST /v1/api_keys?environment={}", "secret-plan", "no-such-plan", { type: "secret" }],
      ["GET /v1/api_keys?environment=production&after={}", key, `key_${"0".repeat(32)}`],
    ];
    for (const [to, theirs, nobodys, body] of pairs) {
      const said = { token, ...(body === undefined ? {} : { body }) };
      const taken = await world.call(to.replace("{}", theirs), said);
      expect(taken.status).toBe(to.includes("after") ? 422 : 404);
      expect(withoutId(await world.call(to.replace("{}", nobodys), said))).toBe(withoutId(taken));
    }
    expect(await everything()).toEqual(before);
  });

  test("is in no list", async () => {
    const token = world.rival.serviceToken;
    const keys = await world.call(`GET ${KEYS}&status=all`, { token });
    expect(keys.body.entries).toHaveLength(2);
    expect(keys.text).not.toContain(key);
    const environments = await world.call("GET /v1/environments", { token });
    expect(environments.body.entries).toHaveLength(2);
    expect(environments.text).not.toMatch(/public_key|secret_key|pk_|sk_/);
    const refusals = await world.call("GET /v1/refusals", { token });
    expect(refusals.body.entries).toEqual([]);
  });

  test("does not show a key in the list of another environment", async () => {
    const token = world.acme.serviceToken;
    const listed = await world.call("GET /v1/api_keys?environment=production", { token });
    expect(listed.body.entries).toHaveLength(2);
    expect(listed.text).not.toContain(key);
  });
});
