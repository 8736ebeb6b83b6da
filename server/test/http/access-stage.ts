import { expect } from "vitest";
import {
  KEYS,
  OF_OPERATOR,
  OF_OPERATOR_IN_PERSON,
  OF_VERIFIER,
  type Sample,
} from "./route-table.ts";
import { type Heard, openWorld, type World } from "./world.ts";

/** What reads like the placeholders of a sample, and is not there. */
export const ABSENT: Record<string, string> = {
  "{key}": `key_${"0".repeat(32)}`,
  "{token}": `tok_${"0".repeat(32)}`,
  "{serviceToken}": `tok_${"0".repeat(32)}`,
  "{member}": `per_${"0".repeat(32)}`,
  "{invitation}": `inv_${"0".repeat(32)}`,
  "{refusal}": "req_absent",
  "{nobodys}": "req_absent",
};

export type AccessStage = Awaited<ReturnType<typeof openAccessStage>>;

/** A world with one of everything that a route can name. */
export async function openAccessStage() {
  const world = await openWorld(() => ({ signUpOpen: true }));
  const listed = await world.call(`GET ${KEYS}`, { token: world.acme.serviceToken });
  /** An active secret key of acme's. */
  const key: string = listed.body.entries.find((one: { type: string }) => one.type === "secret").id;
  const tokens = await world.call("GET /v1/tokens", { token: world.tokens.operator });
  const verifier = tokens.body.entries.find((one: { kind: string }) => one.kind === "verifier");
  const token = world.acme.serviceToken;
  /** A service token of acme's that nobody calls with. */
  const idle = await world.call("POST /v1/service_tokens", { token, body: { name: "Idle" } });
  /** A member of acme's whose session nobody uses. */
  const member = await world.join(world.acme.id, "fifth@acme.example", "member");
  const body = { email: "invited@acme.example", role: "member" };
  const invitation = await world.call("POST /v1/invitations", { token, body });
  await keepRefusals(world, key);
  const invitationId: string = invitation.body.id;
  /** What stands for the placeholders of a sample. */
  const right = {
    "{key}": key,
    "{token}": verifier.id,
    "{serviceToken}": idle.body.id,
    "{member}": member.id,
    "{invitation}": invitationId,
    "{refusal}": "req_acme",
    "{nobodys}": "req_nobody",
  };
  return {
    world,
    key,
    memberId: member.id,
    invitationId,
    everything: () => everything(world),
    send(sample: Sample, headers: Record<string, string>, token?: string): Promise<Heard> {
      return world.call(filled(sample.to, right), {
        headers,
        ...(token === undefined ? {} : { token }),
        ...(sample.body === undefined ? {} : { body: sample.body }),
      });
    },
    /** The token that opens a sample's door. */
    tokenFor(sample: Sample): string {
      if ([...OF_OPERATOR, ...OF_OPERATOR_IN_PERSON].includes(sample)) return world.tokens.operator;
      if (OF_VERIFIER.includes(sample)) return world.tokens.verifier;
      return world.acme.serviceToken;
    },
  };
}

/** One of a key of acme's, and one that belongs to no account. */
async function keepRefusals(world: World, key: string): Promise<void> {
  const usual = { atMs: world.clock.nowMs, environment: null, address: null, userAgent: null };
  const types = ["public"] as const;
  const refusals = [
    { ...usual, types, requestId: "req_acme", reason: "type", keyId: key },
    { ...usual, types, requestId: "req_nobody", reason: "unknown", keyId: null },
  ] as const;
  const batch = { source: "src_1", number: 1, counts: [], callers: [], refusals };
  await world.store.recordUsage([batch], world.clock.nowMs);
}

/** Puts what a name in braces stands for in its place. */
export function filled(to: string, by: Record<string, string>): string {
  return to.replace(/\{\w+\}/, (name) => by[name] ?? "");
}

/** Every row that somebody could change without leave. */
async function everything({ db }: World): Promise<unknown> {
  return [
    await db.selectFrom("account").selectAll().execute(),
    await db.selectFrom("environment").selectAll().execute(),
    await db.selectFrom("api_key").selectAll().execute(),
    await db.selectFrom("member").selectAll().execute(),
    await db.selectFrom("invitation").selectAll().execute(),
    // When they were last used is no change that needs leave.
    await db.selectFrom("access_token").select(["id", "deleted_at"]).execute(),
  ];
}

/** Expects a refusal with its code, as every refusal is answered. */
export function expectProblem(heard: Heard, status: number, code: string): void {
  expect(heard.body).toEqual({
    code,
    message: expect.any(String),
    status,
    type: expect.stringMatching(/^(authentication|invalid_request)_error$/),
    request_id: expect.stringMatching(/^req_/),
  });
  expect(heard.status).toBe(status);
  expect(heard.headers.get("X-Request-Id")).toBe(heard.body.request_id);
  expect(heard.headers.get("Cache-Control")).toBe("no-store");
  expect(heard.headers.get("WWW-Authenticate")).toBe(status === 401 ? "Bearer" : null);
}

/** An answer without what differs in every answer. */
export function withoutId(heard: Heard): string {
  return `${heard.status} ${heard.text.replace(/req_\d+/, "")}`;
}
