import assert from "node:assert/strict";
import { digestToken } from "@latchkey/sdk/core";
import type { AccountStore } from "../../src/store/store.ts";
import { joined } from "./people.ts";
import { batch, caller, counted, refusal } from "./usage.ts";
import { ANY_EVENT, type Check, START_MS, type World } from "./world.ts";

const DAY_MS = 86_400_000;

type Attempts = Readonly<Record<Exclude<keyof AccountStore, "accountId">, () => Promise<unknown>>>;

export const confinementPromises: Readonly<Record<string, Check>> = {
  "what belongs to another account answers like what is not there": async (world) => {
    const { acme, newEnvironment, newKey, origin, other } = world;
    const key = newKey({ description: "theirs" });
    const told = origin();
    await other.createEnvironment(newEnvironment("theirs", [key]), told, null);
    const token = world.newToken("service", other.accountId);
    await other.tokens.createToken(token, origin(), null);
    await joined(world, { id: personOf(token.id), accountId: other.accountId });
    await joined(world, { id: world.id("per"), accountId: other.accountId });
    await other.invite(
      {
        id: invitationOf(token.id),
        email: "t@example.com",
        role: "admin",
        ...link("theirs"),
      },
      { permits: () => true, openMax: 1 },
      origin(),
    );
    const exchanged = { environmentSlug: "theirs", key: newKey({ expiresAtMs: START_MS + 9 }) };
    await other.exchangeToken({ ...exchanged, tokenId: token.id, liveMax: 1 }, origin());
    await world.store.recordUsage(
      [
        batch("one", 1, {
          counts: [counted(key.id, { accepted: 1 }, 0)],
          callers: [caller({ keyId: key.id })],
          refusals: [refusal({ requestId: "req_theirs", keyId: key.id })],
        }),
      ],
      0,
    );
    const before = await snapshot(world);

    const attempts = attemptsOf(world, key.id, "theirs", "req_theirs", token.id, told.eventId);
    assert.deepEqual(
      Object.keys(attempts).sort(),
      Object.keys(acme)
        .filter((name) => name !== "accountId")
        .sort(),
    );
    const nothing = attemptsOf(
      world,
      "key_nothing",
      "nothing",
      "req_nothing",
      "tok_nothing",
      "evt_nothing",
    );
    for (const name of Object.keys(attempts) as (keyof Attempts)[])
      assert.deepEqual(await attempts[name](), await nothing[name](), name);

    assert.deepEqual(await snapshot(world), before);
  },

  "an environment's slug is free in every other account": async ({
    acme,
    newEnvironment,
    origin,
    other,
  }) => {
    const mine = await acme.createEnvironment(newEnvironment("shared"), origin(), null);
    const theirs = await other.createEnvironment(newEnvironment("shared"), origin(), null);
    assert.deepEqual([mine.outcome, theirs.outcome], ["created", "created"]);
    await acme.deleteEnvironment("shared", origin());
    assert.notEqual(await other.findEnvironment("shared"), undefined);
  },
};

/** Every method of acme's store, aimed at what is named by id or slug. */
function attemptsOf(
  world: World,
  keyId: string,
  slug: string,
  requestId: string,
  tokenId: string,
  eventId: string,
): Attempts {
  const { acme, origin } = world;
  const filter = {
    environment: slug,
    status: "all",
    lastUsed: "any",
    expires: "any",
    text: "",
    nowMs: 0,
  } as const;
  const ask = {
    fromMs: 0,
    toMs: DAY_MS,
    granularity: "day",
    by: { key: true, environment: true },
  } as const;
  return {
    listEnvironments: async () => {
      const listed = await acme.listEnvironments({ size: 200 });
      assert(listed.outcome === "page");
      return listed.entries.map((environment) => environment.slug).sort();
    },
    // Creating takes nothing of another account; that a slug is free there is a promise of its own.
    createEnvironment: async () => {
      const taken = world.newEnvironment("production");
      return acme.createEnvironment(taken, origin(), null);
    },
    findEnvironment: () => acme.findEnvironment(slug),
    renameEnvironment: () => acme.renameEnvironment(slug, "Mine", origin()),
    deleteEnvironment: () => acme.deleteEnvironment(slug, origin()),
    listKeys: () => acme.listKeys(filter, { size: 200 }),
    createKey: () => acme.createKey(slug, world.newKey(), origin(), null),
    findKey: () => acme.findKey(keyId),
    editKey: () => acme.editKey(keyId, { description: "mine", metadata: { a: "b" } }, origin()),
    rotateKey: () => acme.rotateKey(keyId, world.rotation(), origin(), () => world.id("evt"), null),
    revokeKey: () => acme.revokeKey(keyId, "mine", origin(), null),
    // Of the account itself, whatever is named.
    findOwnAccount: async () => (await acme.findOwnAccount())?.slug,
    setKeyMaxAge: async () => (await acme.setKeyMaxAge(null, origin())).outcome,
    setTwoFactorRequired: async () => (await acme.setTwoFactorRequired(false, origin())).outcome,
    readUsage: async () => [
      await acme.readUsage({ ...ask, environment: slug, keyIds: null, top: null }),
      await acme.readUsage({ ...ask, environment: null, keyIds: [keyId], top: null }),
      await acme.readUsage({ ...ask, environment: null, keyIds: null, top: null }),
      await acme.readUsage({ ...ask, environment: null, keyIds: null, top: 10 }),
    ],
    sumUsage: () => acme.sumUsage(keyId, 0),
    listCallers: () => acme.listCallers(keyId, 10, 0),
    listRefusals: async () => [
      await acme.listRefusals({ environment: slug, keyId: null, reason: null }, { size: 10 }),
      await acme.listRefusals({ environment: null, keyId, reason: null }, { size: 10 }),
      await acme.listRefusals({ environment: null, keyId: null, reason: null }, { size: 10 }),
      await acme.listRefusals(
        { environment: null, keyId: null, reason: null },
        { size: 10, after: requestId },
      ),
    ],
    findRefusal: () => acme.findRefusal(requestId),
    listAuditEvents: async () => [
      await acme.listAuditEvents({ ...ANY_EVENT, keyId }, { size: 10 }),
      await acme.listAuditEvents({ ...ANY_EVENT, subjectId: keyId }, { size: 10 }),
      (await acme.listAuditEvents(ANY_EVENT, { size: 10, after: eventId })).outcome,
    ],
    olderAuditEvents: () => acme.olderAuditEvents({ ...ANY_EVENT, subjectId: tokenId }, null, 10),
    tokens: async () => [
      await acme.tokens.listTokens({ size: 200 }),
      await acme.tokens.findIssuedToken(tokenId),
      await acme.tokens.deleteToken(tokenId, origin(), world.nextEventId),
      (await acme.tokens.listTokens({ size: 200, after: tokenId })).outcome,
    ],
    exchangeToken: async () => [
      await acme.exchangeToken(
        { environmentSlug: "production", key: world.newKey(), tokenId, liveMax: 9 },
        origin(),
      ),
      await acme.exchangeToken(
        { environmentSlug: slug, key: world.newKey(), tokenId, liveMax: 9 },
        origin(),
      ),
    ],
    // The person and the invitation of the other account go by the same name as its service token.
    listMembers: () => acme.listMembers({ size: 200, after: personOf(tokenId) }, 0),
    findMember: () => acme.findMember(personOf(tokenId), 0),
    changeRole: () => acme.changeRole({ ...memberAsk(world, tokenId), role: "support" }, origin()),
    removeMember: () => acme.removeMember(memberAsk(world, tokenId), origin()),
    listInvitations: () => acme.listInvitations({ size: 200, after: invitationOf(tokenId) }),
    findInvitation: () => acme.findInvitation(invitationOf(tokenId)),
    // Inviting takes nothing of another account; one that may not be made here writes nothing.
    invite: () =>
      acme.invite(
        { id: world.id("inv"), email: "x@example.com", role: "member", ...link("nobody") },
        { permits: () => false, openMax: 1 },
        origin(),
      ),
    renewInvitation: () =>
      acme.renewInvitation(invitationOf(tokenId), link("mine"), () => true, origin()),
    markUnmailed: () => acme.markUnmailed(link("theirs").digest),
    cancelInvitation: () => acme.cancelInvitation(invitationOf(tokenId), () => true, origin()),
    countExchangedKeys: async () => (await acme.countExchangedKeys([tokenId], START_MS)).size,
  };
}

const personOf = (tokenId: string): string => tokenId.replace("tok_", "per_");
const invitationOf = (tokenId: string): string => tokenId.replace("tok_", "inv_");

const memberAsk = ({ nextEventId }: World, tokenId: string) => ({
  id: personOf(tokenId),
  permits: () => true,
  keepsInvitation: () => false,
  nextEventId,
});

const link = (secret: string) => ({
  digest: digestToken(secret),
  expiresAtMs: START_MS + DAY_MS,
  mailed: true,
});

/** Every row that a deed could have altered. */
async function snapshot({ db }: World): Promise<unknown> {
  const tables = [
    "environment",
    "api_key",
    "access_token",
    "change",
    "revocation",
    "audit_event",
    "member",
    "invitation",
  ] as const;
  return Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
}
