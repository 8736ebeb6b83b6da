import assert from "node:assert/strict";
import type { AuditFilter, AuditStore, Origin, PageAsk } from "../../src/store/store.ts";
import { ANY_EVENT, type Check, KEPT, START_MS, type World } from "./world.ts";

const DAY_MS = 24 * 60 * 60_000;

let made = 0;

/** Of a deed at a time, by whoever it names; ids tell the time, as those of a server do. */
function at(world: World, atMs: number, actorId = "per_ada"): Origin {
  made += 1;
  const time = atMs.toString(16).padStart(12, "0");
  return {
    ...world.origin(atMs),
    actor: { type: "person", id: actorId, name: `Person ${actorId}` },
    eventId: `evt_${time}7${made.toString(16).padStart(19, "0")}`,
  };
}

async function listed(
  log: AuditStore,
  filter: Partial<AuditFilter> = {},
  page: PageAsk = { size: 200 },
): Promise<string[]> {
  const list = await log.listAuditEvents({ ...ANY_EVENT, ...filter }, page);
  assert(list.outcome === "page");
  return list.entries.map(({ action }) => action);
}

/** What the makers of a world left, which every list of acme's ends with. */
const BEGINNING = ["account.created"];

export const auditLogPromises: Readonly<Record<string, Check>> = {
  "an entry tells who, what, to which key, when and from where": async (world) => {
    const { acme } = world;
    const key = world.newKey({ description: "Checkout" });
    const origin = at(world, START_MS + 5, "per_eve");
    await acme.createKey("production", key, origin, null);
    const list = await acme.listAuditEvents(ANY_EVENT, { size: 1 });
    assert(list.outcome === "page");
    assert.deepEqual(list.entries, [
      {
        id: origin.eventId,
        atMs: START_MS + 5,
        action: "api_key.created",
        actor: { type: "person", id: "per_eve", name: "Person per_eve" },
        environment: "production",
        subject: { type: "api_key", id: key.id, name: "Checkout" },
        apiKey: { id: key.id, hint: key.hint, description: "Checkout" },
        requestId: origin.requestId,
        address: "192.0.2.7",
        userAgent: "suite",
        details: { type: "secret", hint: key.hint, expires_at: null },
      },
    ]);
  },

  "what was deleted is still told by its name": async (world) => {
    const { acme } = world;
    const token = world.newToken("service", acme.accountId);
    await acme.tokens.createToken(token, at(world, START_MS + 1), null);
    await acme.tokens.deleteToken(token.id, at(world, START_MS + 2), world.nextEventId);
    await acme.deleteEnvironment("production", at(world, START_MS + 3));
    const list = await acme.listAuditEvents(ANY_EVENT, { size: 3 });
    assert(list.outcome === "page");
    assert.deepEqual(
      list.entries.map(({ action, environment, subject: { name } }) => [action, environment, name]),
      [
        ["environment.deleted", "production", "The production environment"],
        ["access_token.deleted", null, "A service token"],
        ["access_token.created", null, "A service token"],
      ],
    );
  },

  "the log is narrowed by who, what, to what, and when": async (world) => {
    const { acme, store } = world;
    const key = world.newKey();
    await acme.createKey("production", key, at(world, START_MS + DAY_MS), null);
    await acme.editKey(key.id, { description: "d" }, at(world, START_MS + 2 * DAY_MS, "per_eve"));
    await acme.revokeKey(key.id, null, at(world, START_MS + 3 * DAY_MS), null);
    const token = world.newToken("operator", null);
    await store.operatorTokens.createToken(token, at(world, START_MS + 4 * DAY_MS), null);

    const [created, edited, revoked] = ["api_key.created", "api_key.edited", "api_key.revoked"];
    const all = [revoked, edited, created, ...BEGINNING];
    assert.deepEqual(await listed(acme), all);
    assert.deepEqual(await listed(acme, { actorId: "per_eve" }), [edited]);
    assert.deepEqual(await listed(acme, { actorId: "per_nobody" }), []);
    assert.deepEqual(await listed(acme, { actions: ["api_key.edited"] }), [edited]);
    const some = { actions: ["api_key.created", "api_key.revoked"] } as const;
    assert.deepEqual(await listed(acme, some), [revoked, created]);
    assert.deepEqual(await listed(acme, { ...some, actorId: "per_eve" }), []);
    assert.deepEqual(await listed(acme, { actions: [] }), []);
    assert.deepEqual(await listed(acme, { subjectId: acme.accountId }), BEGINNING);
    assert.deepEqual(await listed(acme, { keyId: key.id }), [revoked, edited, created]);
    assert.deepEqual(await listed(acme, { keyId: key.id, ...some }), [revoked, created]);
    assert.deepEqual(await listed(acme, { keyId: "key_nobody" }), []);
    assert.deepEqual(await listed(acme, { fromMs: START_MS + 2 * DAY_MS }), [revoked, edited]);
    assert.deepEqual(
      await listed(acme, { fromMs: START_MS + DAY_MS, toMs: START_MS + 3 * DAY_MS }),
      [edited, created],
    );
    assert.deepEqual(await listed(world.other), BEGINNING);
    assert.deepEqual(await listed(store.operatorAudit), ["access_token.created"]);
  },

  "a key is found in what only names it: the rotation that made it, and its environment": async (
    world,
  ) => {
    const { acme } = world;
    const born = world.newKey();
    const environment = world.newEnvironment("staging", [born, world.newKey({ type: "public" })]);
    await acme.createEnvironment(environment, at(world, START_MS + 1), null);
    await acme.createEnvironment(world.newEnvironment("later"), at(world, START_MS + 2), null);
    const rotation = world.rotation({ overlapMs: 0 });
    let more = 0;
    const next = () => at(world, START_MS + 3 + ++more).eventId;
    await acme.rotateKey(born.id, rotation, at(world, START_MS + 3), next, null);
    assert.deepEqual(await listed(acme, { keyId: born.id }), [
      "api_key.revoked",
      "api_key.rotated",
      "environment.created",
    ]);
    assert.deepEqual(await listed(acme, { keyId: rotation.successor.id }), [
      "api_key.created",
      "api_key.rotated",
    ]);
    assert.deepEqual(await listed(world.other, { keyId: born.id }), []);
  },

  "paging meets every entry once, forwards and backwards, whatever it is narrowed by": async (
    world,
  ) => {
    const { acme } = world;
    const key = await world.stored("production");
    for (let edit = 0; edit < 11; edit++) {
      const by = edit % 3 === 0 ? "per_eve" : "per_ada";
      await acme.editKey(key.id, { description: `${edit}` }, at(world, START_MS + edit, by));
      await acme.renameEnvironment("development", `${edit}`, at(world, START_MS + edit, by));
    }
    for (const filter of [
      {},
      { actorId: "per_eve" },
      { actions: ["api_key.edited", "environment.renamed"] as const },
      { keyId: key.id },
    ]) {
      const all = await ids(acme, filter, { size: 200 });
      const forwards: string[] = [];
      const backwards: string[] = [];
      let page: PageAsk | null = { size: 4 };
      let before: string | null = null;
      while (page !== null) {
        const list = await acme.listAuditEvents({ ...ANY_EVENT, ...filter }, page);
        assert(list.outcome === "page");
        forwards.push(...list.entries.map(({ id }) => id));
        before = list.before;
        page = list.after === null ? null : { size: 4, after: list.after };
      }
      const last = forwards.length - ((forwards.length - 1) % 4) - 1;
      while (before !== null) {
        const list = await acme.listAuditEvents({ ...ANY_EVENT, ...filter }, { size: 4, before });
        assert(list.outcome === "page");
        backwards.unshift(...list.entries.map(({ id }) => id));
        before = list.before;
      }
      assert(all.length >= 8);
      assert.deepEqual(forwards, all);
      assert.deepEqual(backwards, all.slice(0, last));
    }
    for (const cursor of ["evt_none", "", "' or 1=1 --"])
      assert.deepEqual(await acme.listAuditEvents(ANY_EVENT, { size: 4, after: cursor }), {
        outcome: "invalid_cursor",
      });
  },

  "an export that others write beside neither repeats nor passes over what was there": async (
    world,
  ) => {
    const { acme } = world;
    for (let day = 0; day < 9; day++)
      await acme.renameEnvironment("development", `${day}`, at(world, START_MS + day));
    const before = await ids(acme, {}, { size: 200 });
    const met: string[] = [];
    for (let oldest: string | null = null; ; ) {
      const events = await acme.olderAuditEvents(ANY_EVENT, oldest, 3);
      met.push(...events.map(({ id }) => id));
      oldest = events.at(-1)?.id ?? null;
      await acme.renameEnvironment("production", `${met.length}`, at(world, START_MS + 99));
      if (events.length < 3) break;
    }
    assert.deepEqual(met, before);
  },

  "retention drops the oldest entries, of every account and of none, and nothing else does": async (
    world,
  ) => {
    const { acme, db, store } = world;
    await db.deleteFrom("audit_event").execute(); // ids of the world's making tell no time
    await acme.renameEnvironment("development", "1", at(world, START_MS));
    await world.other.renameEnvironment("development", "1", at(world, START_MS + 1));
    const token = world.newToken("operator", null);
    await store.operatorTokens.createToken(token, at(world, START_MS + 2), null);
    await acme.renameEnvironment("development", "2", at(world, START_MS + 3));
    const left = async () =>
      Promise.all([acme, world.other, store.operatorAudit].map((l) => listed(l)));
    const all = await left();
    const nowMs = START_MS + 30 * DAY_MS;
    await store.sweep(nowMs, KEPT);
    await store.sweep(nowMs, KEPT, null);
    await store.sweep(nowMs, KEPT, 30 * DAY_MS);
    assert.deepEqual(await left(), all);
    await store.sweep(nowMs + 3, KEPT, 30 * DAY_MS);
    assert.deepEqual(await left(), [["environment.renamed"], [], []]);
  },

  "no deed alters an entry or takes one away": async (world) => {
    const { acme, db, origin, store } = world;
    const known = new Map<string, string>();
    const keep = async () => {
      const rows = await db.selectFrom("audit_event").selectAll().execute();
      const now = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
      for (const [id, row] of known) assert.equal(now.get(id), row);
      for (const [id, row] of now) known.set(id, row);
    };
    const key = await world.stored("production");
    const token = world.newToken("service", acme.accountId);
    const deeds: readonly (() => Promise<unknown>)[] = [
      () => acme.tokens.createToken(token, origin(), null),
      () => acme.editKey(key.id, { description: "d", metadata: { a: "b" } }, origin()),
      () => acme.rotateKey(key.id, world.rotation(), origin(), world.nextEventId, null),
      () => acme.revokeKey(key.id, "r", origin(), null),
      () => acme.setKeyMaxAge(DAY_MS, origin()),
      () => acme.renameEnvironment("production", "P", origin()),
      () => acme.tokens.deleteToken(token.id, origin(), world.nextEventId),
      () => store.updateAccount("acme", { suspended: true }, origin()),
      () => acme.deleteEnvironment("production", origin()),
      () => store.deleteAccount("acme", origin()),
      () => store.sweep(START_MS + 9_999 * DAY_MS, KEPT),
    ];
    for (const deed of deeds) {
      await keep();
      await deed();
    }
    await keep();
    assert(known.size >= deeds.length);
  },

  "renaming an environment to what it is called leaves no entry": async (world) => {
    const { acme } = world;
    await acme.renameEnvironment("production", "P", at(world, START_MS + 1));
    const again = await acme.renameEnvironment("production", "P", at(world, START_MS + 2));
    assert.equal(again.outcome, "renamed");
    assert.deepEqual(await listed(acme), ["environment.renamed", ...BEGINNING]);
  },
};

async function ids(
  log: AuditStore,
  filter: Partial<AuditFilter>,
  page: PageAsk,
): Promise<readonly string[]> {
  const list = await log.listAuditEvents({ ...ANY_EVENT, ...filter }, page);
  assert(list.outcome === "page");
  return list.entries.map(({ id }) => id);
}
