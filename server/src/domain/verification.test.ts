import { randomBytes } from "node:crypto";
import { digestToken } from "@latchkey/sdk/core";
import pino from "pino";
import { afterEach, expect, test } from "vitest";
import type { Ambient } from "../ambient.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { tokenMaker } from "./tokens.ts";
import { createVerification, type VerificationOptions } from "./verification.ts";

const LEASE_MS = 10_000;
const secret = { types: ["secret"] } as const;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A clock that moves when told to; timers fire as it passes them, in order. */
function simulatedAmbient() {
  let monoMs = 5_000;
  let wallOffMs = 1_800_000_000_000;
  let ids = 0;
  const timers: { atMs: number; task: () => void }[] = [];
  const ambient: Ambient = {
    nowMs: () => Math.floor(monoMs + wallOffMs),
    monoMs: () => monoMs,
    randomBytes,
    sortableId: (prefix) => `${prefix}_${String(++ids).padStart(32, "0")}`,
    randomId: (prefix) => `${prefix}_${String(++ids).padStart(24, "0")}`,
    soon: (task) => {
      setImmediate(task);
    },
    after(ms, task) {
      const timer = { atMs: monoMs + ms, task };
      timers.push(timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at !== -1) timers.splice(at, 1);
      };
    },
  };
  /** Lets everything that waits for no timer happen. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise<void>((done) => setImmediate(done));
  };
  const pass = async (ms: number): Promise<void> => {
    const endMs = monoMs + ms;
    for (;;) {
      await settle();
      const due = timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      timers.splice(timers.indexOf(due), 1);
      monoMs = Math.max(monoMs, due.atMs);
      due.task();
    }
    monoMs = endMs;
    await settle();
  };
  return { ambient, pass, settle, sleep: (ms: number) => (wallOffMs += ms) };
}

async function world(overrides: Partial<Store> = {}) {
  const time = simulatedAmbient();
  const { ambient } = time;
  const { store: real } = await openSqlite(":memory:", { randomId: () => ambient.randomId("row") });
  const store: Store = { ...real, ...overrides };
  const makeToken = tokenMaker(ambient.randomBytes, null);
  const origin = () => ({
    actor: { type: "system", id: "test", name: "test" } as const,
    atMs: ambient.nowMs(),
    requestId: null,
    address: null,
    userAgent: null,
    eventId: ambient.sortableId("evt"),
  });
  const environment = (slug: string) => ({
    id: ambient.sortableId("env"),
    slug,
    name: slug,
    keys: [],
  });
  const account = {
    id: ambient.sortableId("acc"),
    slug: "acme",
    name: "Acme",
    externalId: null,
    environments: [environment("development"), environment("production")],
    tokens: [],
    owner: null,
  };
  expect((await real.createAccount(account, origin(), null)).outcome).toBe("created");
  const mine = real.account(account.id);
  const issue = async (expiresAtMs: number | null = null) => {
    const { token, digest, hint } = makeToken("sk");
    const id = ambient.sortableId("key");
    const key = {
      id,
      type: "secret",
      digest,
      hint,
      token: null,
      description: "",
      metadata: {},
      expiresAtMs,
    } as const;
    expect((await mine.createKey("production", key, origin(), null)).outcome).toBe("created");
    return { id, token, digest };
  };
  const revoke = async (id: string): Promise<number> => {
    const revoked = await mine.revokeKey(id, null, origin(), null);
    if (!("seq" in revoked)) throw new Error(revoked.outcome);
    return revoked.seq;
  };
  const start = async (options: Partial<VerificationOptions> = {}) => {
    const verification = createVerification({
      store,
      ambient,
      logger: pino({ level: "silent" }),
      leaseMs: LEASE_MS,
      label: "test",
      ...options,
    });
    await verification.start();
    return verification;
  };
  closing.push(() => real.close());
  return { ...time, store: real, mine, origin, issue, revoke, start };
}

test("a key verifies, warm without a promise; revoked, it is refused before the barrier returns", async () => {
  const { issue, revoke, start } = await world();
  const verification = await start();
  const { id, token } = await issue();
  const cold = verification.verify(`Bearer ${token}`, secret);
  expect(cold).toBeInstanceOf(Promise);
  expect(await cold).toMatchObject({ ok: true, key: { id } });
  expect(verification.verify(token, secret)).toMatchObject({ ok: true, key: { id } });
  const receipt = await verification.barrier.complete(await revoke(id));
  expect(receipt).toMatchObject({ acknowledged: 1, lapsed: 0 });
  expect(await verification.verify(token, secret)).toMatchObject({
    ok: false,
    reason: "revoked",
    refusal: { status: 401, code: "api_key_missing" },
  });
});

test.each([
  [
    "an environment's deletion",
    (w: Awaited<ReturnType<typeof world>>) => w.mine.deleteEnvironment("production", w.origin()),
  ],
  [
    "an account's suspension",
    (w: Awaited<ReturnType<typeof world>>) =>
      w.store.updateAccount("acme", { suspended: true }, w.origin()),
  ],
  [
    "an account's deletion",
    (w: Awaited<ReturnType<typeof world>>) => w.store.deleteAccount("acme", w.origin()),
  ],
])("%s refuses its warm keys before the barrier returns", async (_, deed) => {
  const it = await world();
  const verification = await it.start();
  const { token } = await it.issue();
  expect(await verification.verify(token, secret)).toMatchObject({ ok: true });
  const done = await deed(it);
  if (!("seq" in done) || done.seq === undefined) throw new Error(done.outcome);
  await verification.barrier.complete(done.seq);
  expect(await verification.verify(token, secret)).toMatchObject({ ok: false, reason: "revoked" });
});

test("what another process revoked is refused within 250 ms though nothing told of it, and its barrier is completed here", async () => {
  const { issue, revoke, start, pass, mine } = await world();
  const verification = await start();
  const { id, token } = await issue();
  await verification.verify(token, secret);
  await revoke(id); // whoever did this died before its barrier
  expect(verification.verify(token, secret)).toMatchObject({ ok: true });
  await pass(250);
  expect(await verification.verify(token, secret)).toMatchObject({ ok: false, reason: "revoked" });
  expect((await mine.findKey(id))?.revocation?.effectiveAtMs).toBeNull();
  await pass(LEASE_MS / 3);
  const revocation = (await mine.findKey(id))?.revocation;
  expect(revocation?.effectiveAtMs).not.toBeNull();
});

test("a dead node's row delays one revocation, by its lease and the allowance; the next is quick", async () => {
  const { issue, revoke, start, pass, store } = await world();
  await store.leases.joinNode({ id: "node_dead", leaseMs: LEASE_MS, label: "dead" });
  const verification = await start();
  const first = await issue();
  const second = await issue();
  let receipt: unknown;
  void verification.barrier.complete(await revoke(first.id)).then((done) => {
    receipt = done;
  });
  await pass(LEASE_MS);
  expect(receipt).toBeUndefined();
  await pass(LEASE_MS * 0.02);
  expect(receipt).toMatchObject({ acknowledged: 1, lapsed: 1, tookMs: expect.closeTo(10_100, -2) });
  let next: { tookMs: number | null } | undefined;
  void verification.barrier.complete(await revoke(second.id)).then((done) => {
    next = done;
  });
  await pass(100); // the barrier that comes next sees the row unchanged for a whole lease, and deletes it
  expect(next?.tookMs).toBeLessThan(50);
  expect((await store.leases.readNodes()).nodes.map((node) => node.id)).not.toContain("node_dead");
  const third = await issue();
  expect(await verification.barrier.complete(await revoke(third.id))).toMatchObject({
    lapsed: 0,
    tookMs: 0,
  });
});

test("a dead node whose row is deleted during the wait is in the receipt all the same", async () => {
  const { issue, revoke, start, pass, store } = await world();
  await store.leases.joinNode({ id: "node_dead", leaseMs: LEASE_MS, label: "dead" });
  const verification = await start();
  const { id } = await issue();
  let receipt: unknown;
  void verification.barrier.complete(await revoke(id)).then((done) => {
    receipt = done;
  });
  await pass(1_000);
  expect(receipt).toBeUndefined();
  expect(await store.leases.reapNode("node_dead", 0)).toBe(true);
  await pass(100);
  expect(receipt).toMatchObject({ acknowledged: 1, lapsed: 1 });
});

test("a node whose row was deleted drops what it holds and joins anew", async () => {
  const { issue, start, pass, store } = await world();
  const verification = await start();
  const { token } = await issue();
  await verification.verify(token, secret);
  const before = (await store.leases.readNodes()).nodes[0];
  await store.leases.releaseNode(before?.id ?? "");
  await pass(LEASE_MS / 3 + 1);
  const after = (await store.leases.readNodes()).nodes;
  expect(after).toHaveLength(1);
  expect(after[0]?.id).not.toBe(before?.id);
  const asked = verification.verify(token, secret);
  expect(asked).toBeInstanceOf(Promise);
  expect(await asked).toMatchObject({ ok: true });
});

test("after a sleep of the machine nothing warm is believed, and the store is asked", async () => {
  const { issue, start, sleep } = await world();
  const verification = await start();
  const { token } = await issue();
  await verification.verify(token, secret);
  sleep(LEASE_MS * 3);
  const asked = verification.verify(token, secret);
  expect(asked).toBeInstanceOf(Promise);
  expect(await asked).toMatchObject({ ok: true });
});

test("an expiry is judged by the clock at each use, warm or not", async () => {
  const { issue, start, pass, ambient } = await world();
  const verification = await start();
  const { token } = await issue(ambient.nowMs() + 1_000);
  expect(await verification.verify(token, secret)).toMatchObject({ ok: true });
  await pass(999);
  expect(verification.verify(token, secret)).toMatchObject({ ok: true });
  await pass(1);
  expect(verification.verify(token, secret)).toMatchObject({ ok: false, reason: "expired" });
});

test("without lease and store it fails, and never refuses or accepts", async () => {
  const down = {
    loadKeys: () => Promise.reject(new Error("disk gone")),
    ping: () => Promise.reject(new Error("disk gone")),
  };
  const { issue, start, sleep } = await world(down);
  const verification = await start();
  const { token } = await issue();
  await expect(verification.verify(token, secret)).rejects.toMatchObject({
    code: "verification_unavailable",
  });
  expect(await verification.ready()).toBe(true);
  sleep(LEASE_MS * 3);
  expect(await verification.ready()).toBe(false);
});

test("answers from the past are not used", async () => {
  const it = await world();
  let seq = 0;
  const verification = await it.start({
    store: {
      ...it.store,
      loadKeys: async (digests) => ({ ...(await it.store.loadKeys(digests)), seq }),
    },
  });
  const { id, token } = await it.issue();
  expect(await verification.verify(token, secret)).toMatchObject({ ok: true });
  const other = await it.issue();
  await verification.barrier.complete(await it.revoke(id));
  await expect(verification.verify(other.token, secret)).rejects.toMatchObject({
    code: "verification_unavailable",
  });
  seq = 1;
  expect(await verification.verify(other.token, secret)).toMatchObject({ ok: true });
});

test("garbage and tokens of other kinds cost no look-up", async () => {
  const asked: string[] = [];
  const it = await world();
  const verification = await it.start({
    store: {
      ...it.store,
      loadKeys: (digests) => {
        asked.push(...digests);
        return it.store.loadKeys(digests);
      },
    },
  });
  const make = tokenMaker(it.ambient.randomBytes, null);
  const expected = [
    [undefined, "no_credentials"],
    ["", "no_credentials"],
    ["Basic abc", "no_credentials"],
    ["Bearer  ", "no_credentials"],
    ["hello", "malformed"],
    [`${make("sk").token.slice(0, -1)}!`, "malformed"],
    ["x".repeat(100_000), "malformed"],
    [make("st").token, "wrong_kind"],
    [`bearer ${make("vt").token}`, "wrong_kind"],
    [make("ot").token, "wrong_kind"],
  ] as const;
  for (const [credentials, reason] of expected)
    expect(verification.verify(credentials, secret)).toMatchObject({ ok: false, reason });
  expect(asked).toEqual([]);
  const unknown = make("sk").token;
  expect(await verification.verify(unknown, secret)).toMatchObject({
    ok: false,
    reason: "unknown",
  });
  expect(verification.verify(unknown, secret)).toMatchObject({ ok: false, reason: "unknown" });
  expect(asked).toEqual([digestToken(unknown)]);
});

test("when a key was last used is written within a second, and at the stop", async () => {
  const { issue, start, pass, mine, ambient } = await world();
  const verification = await start();
  const used = await issue();
  const unused = await issue();
  const atMs = ambient.nowMs();
  await verification.verify(used.token, secret);
  expect((await mine.findKey(used.id))?.lastUsedAtMs).toBeNull();
  await pass(1_000);
  expect((await mine.findKey(used.id))?.lastUsedAtMs).toBe(atMs);
  expect((await mine.findKey(unused.id))?.lastUsedAtMs).toBeNull();
  await verification.verify(used.token, secret);
  const laterMs = ambient.nowMs();
  await verification.stop();
  expect((await mine.findKey(used.id))?.lastUsedAtMs).toBe(laterMs);
});

/** A key that waits for the first use of its successor. */
async function waiting({ issue, mine, origin, ambient }: Awaited<ReturnType<typeof world>>) {
  const old = await issue();
  const { token, digest, hint } = tokenMaker(ambient.randomBytes, null)("sk");
  const successor = { id: ambient.sortableId("key"), digest, hint, token: null };
  const rotation = { successor, overlapMs: 60_000, starts: "first_use" } as const;
  const nextEventId = () => ambient.sortableId("evt");
  const done = await mine.rotateKey(old.id, rotation, origin(), nextEventId, null);
  expect(done.outcome).toBe("rotated");
  return { old, successor: { id: successor.id, token } };
}

test("an overlap starts once the first use of the successor is stored, and its barrier is completed", async () => {
  const it = await world();
  const verification = await it.start();
  const { old, successor } = await waiting(it);
  expect(await verification.verify(old.token, secret)).toMatchObject({ ok: true });
  await it.pass(LEASE_MS);
  expect((await it.mine.findKey(old.id))?.overlap?.startedAtMs).toBeNull();
  expect(await verification.verify(successor.token, secret)).toMatchObject({ ok: true });
  await it.pass(1_000);
  const { overlap, expiresAtMs } = (await it.mine.findKey(old.id)) ?? {};
  expect(expiresAtMs).toBe((overlap?.startedAtMs ?? 0) + 60_000);
  expect(await it.store.leases.pendingRevocations()).toEqual([]);
  expect(verification.verify(old.token, secret)).not.toMatchObject({ ok: false });
  await it.pass(60_000);
  expect(await verification.verify(old.token, secret)).toMatchObject({
    ok: false,
    reason: "expired",
  });
});

test("an overlap whose first use was stored by a node that crashed then starts all the same", async () => {
  const it = await world();
  const { old, successor } = await waiting(it);
  const atMs = it.ambient.nowMs();
  const nothing = { accepted: 0, revoked: 0, expired: 0, type: 0, environment: 0 };
  const count = { keyId: successor.id, minuteMs: atMs - (atMs % 60_000), lastAcceptedMs: atMs };
  const counts = [{ ...count, counts: { ...nothing, accepted: 1 } }];
  const batch = { source: "src_crashed", number: 1, counts, callers: [], refusals: [] };
  await it.store.recordUsage([batch], atMs);
  await it.start();
  await it.pass(LEASE_MS);
  expect((await it.mine.findKey(old.id))?.overlap?.startedAtMs).toBeGreaterThanOrEqual(atMs);
});

test("a store that cannot start overlaps loses no count", async () => {
  const it = await world({ startOverlaps: () => Promise.reject(new Error("away")) });
  const verification = await it.start();
  const { id, token } = await it.issue();
  await verification.verify(token, secret);
  await it.pass(1_000);
  expect(await it.mine.sumUsage(id, 0)).toMatchObject({ accepted: 1 });
  expect(verification.status().verdictsLost).toBe(0);
  await verification.stop();
});

test("a clean stop releases the node's row", async () => {
  const { start, store } = await world();
  const verification = await start();
  await verification.stop();
  expect((await store.leases.readNodes()).nodes).toEqual([]);
});

test("a stop stores what was counted although the node's row cannot be released", async () => {
  const { issue, start, store, mine } = await world();
  const leases = { ...store.leases, releaseNode: () => Promise.reject(new Error("cut off")) };
  const verification = await start({ store: { ...store, leases } });
  const { id, token } = await issue();
  expect(await verification.verify(token, secret)).toMatchObject({ ok: true });
  await expect(verification.stop()).rejects.toThrow("cut off");
  expect(await mine.sumUsage(id, 0)).toMatchObject({ accepted: 1 });
});
