import { expect, test } from "vitest";
import type { HeldKey } from "./held-key.ts";
import type { Ask } from "./judge.ts";
import { createTally } from "./tally.ts";
import type { Caller } from "./usage.ts";
import { type RefusalReason, refuse } from "./verdict.ts";

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 0, 2, 12);
const NONE = { accepted: 0, revoked: 0, expired: 0, type: 0, environment: 0 };
const ASK: Ask = { types: ["secret"] };

function heldKey(id: string, accountId = "acc_1"): HeldKey {
  return {
    key: {
      id,
      type: "secret",
      metadata: {},
      account: { id: accountId, slug: "acme", externalId: null },
      environment: { id: "env_1", slug: "production" },
      revokedAtMs: null,
      expiresAtMs: null,
    },
    tally: null,
  };
}

function counting() {
  const tally = createTally();
  const refuseAs = (
    reason: RefusalReason,
    held: HeldKey | null,
    atMs: number,
    { caller, ask = ASK, id = "req_1" }: { caller?: Caller; ask?: Ask; id?: string } = {},
  ): void => tally.refused(refuse(reason, ask, held?.key ?? null, id), held, ask, atMs, caller);
  const drain = () => {
    const { counts, refusals } = tally.drain();
    const all = [...counts];
    return {
      counts: all.map(({ count }) => count),
      callers: all.flatMap(({ callers }) => callers),
      refusals,
    };
  };
  return { tally, refuseAs, drain };
}

test("verdicts are counted by key and outcome, and drained once", () => {
  const { tally, refuseAs, drain } = counting();
  const [one, two] = [heldKey("key_1"), heldKey("key_2")];
  tally.accepted(one, NOON_MS, undefined);
  tally.accepted(one, NOON_MS + 5, undefined);
  for (const reason of ["revoked", "expired", "type", "environment"] as const)
    refuseAs(reason, two, NOON_MS + 6);
  expect(drain().counts).toEqual([
    {
      keyId: "key_1",
      minuteMs: NOON_MS,
      counts: { ...NONE, accepted: 2 },
      lastAcceptedMs: NOON_MS + 5,
    },
    {
      keyId: "key_2",
      minuteMs: NOON_MS,
      counts: { accepted: 0, revoked: 1, expired: 1, type: 1, environment: 1 },
      lastAcceptedMs: 0,
    },
  ]);
  expect(drain()).toEqual({ counts: [], callers: [], refusals: [] });
  expect([one.tally, two.tally]).toEqual([null, null]);
});

test("each verdict is in its own minute, and what comes after a drain is in the next", () => {
  const { tally, drain } = counting();
  const held = heldKey("key_1");
  tally.accepted(held, NOON_MS + MINUTE_MS - 1, undefined);
  tally.accepted(held, NOON_MS + MINUTE_MS, undefined);
  const { counts } = tally.drain();
  tally.accepted(held, NOON_MS + MINUTE_MS + 1, undefined); // before the first drain is read
  expect([...counts].map(({ count }) => [count.minuteMs, count.counts.accepted])).toEqual([
    [NOON_MS, 1],
    [NOON_MS + MINUTE_MS, 1],
  ]);
  expect(drain().counts).toMatchObject([
    { minuteMs: NOON_MS + MINUTE_MS, counts: { accepted: 1 } },
  ]);
});

test("a wall clock that is set back loses no verdict", () => {
  const { tally, drain } = counting();
  const held = heldKey("key_1");
  tally.accepted(held, NOON_MS, undefined);
  tally.accepted(held, NOON_MS - 10 * MINUTE_MS, undefined);
  expect(drain().counts).toMatchObject([{ minuteMs: NOON_MS, counts: { accepted: 2 } }]);
});

test("what no key has is in the totals, and in no count", () => {
  const { tally, refuseAs, drain } = counting();
  for (const reason of ["no_credentials", "malformed", "wrong_kind", "unknown"] as const)
    refuseAs(reason, null, NOON_MS);
  expect(drain().counts).toEqual([]);
  expect(tally.totals).toMatchObject({
    no_credentials: 1,
    malformed: 1,
    wrong_kind: 1,
    unknown: 1,
  });
  tally.accepted(heldKey("key_1"), NOON_MS, undefined);
  drain();
  expect(tally.totals.accepted).toBe(1);
});

test("callers of a key are told apart by address and User-Agent; refused ones are none", () => {
  const { tally, refuseAs, drain } = counting();
  const held = heldKey("key_1");
  const [a, b] = [
    { address: "192.0.2.1", userAgent: "curl/8" },
    { address: "192.0.2.1", userAgent: "fetch" },
  ];
  tally.accepted(held, NOON_MS, { ...a });
  tally.accepted(held, NOON_MS + 1, { ...b });
  tally.accepted(held, NOON_MS + 2, { ...a });
  refuseAs("type", held, NOON_MS + 3, { caller: { address: "192.0.2.9", userAgent: null } });
  const { callers, refusals } = drain();
  expect(callers).toEqual([
    { keyId: "key_1", ...a, firstMs: NOON_MS, lastMs: NOON_MS + 2, count: 2 },
    { keyId: "key_1", ...b, firstMs: NOON_MS + 1, lastMs: NOON_MS + 1, count: 1 },
  ]);
  expect(refusals).toMatchObject([{ address: "192.0.2.9", userAgent: null }]);
});

test("of very many callers the newest are kept", () => {
  const { tally, drain } = counting();
  const held = heldKey("key_1");
  const from = (at: number) => ({ address: `192.0.2.${at}`, userAgent: null });
  for (let at = 0; at < 200; at++) {
    tally.accepted(held, NOON_MS + at, from(at));
    tally.accepted(held, NOON_MS + at, from(0)); // always there
  }
  const { callers, counts } = drain();
  expect(callers).toHaveLength(20);
  expect(callers.map(({ address }) => address)).toContain("192.0.2.0");
  expect(callers.at(-1)?.address).toBe("192.0.2.199");
  expect(counts[0]?.counts.accepted).toBe(400);
});

test.each<[string, Caller, Caller]>([
  [
    "IPv4 inside IPv6",
    { address: "::ffff:192.0.2.1", userAgent: null },
    { address: "192.0.2.1", userAgent: null },
  ],
  ["IPv6", { address: "2001:db8::1", userAgent: "" }, { address: "2001:db8::1", userAgent: "" }],
  [
    "markup for an address",
    { address: "<b>", userAgent: null },
    { address: null, userAgent: null },
  ],
  [
    "an endless address",
    { address: "1".repeat(46), userAgent: null },
    { address: null, userAgent: null },
  ],
  [
    "an endless User-Agent with control characters",
    { address: null, userAgent: `\u0000é${"x".repeat(1_000)}` },
    { address: null, userAgent: `??${"x".repeat(254)}` },
  ],
])("%s is kept as it may be kept", (_, caller, kept) => {
  const { tally, refuseAs, drain } = counting();
  tally.accepted(heldKey("key_1"), NOON_MS, caller);
  refuseAs("unknown", null, NOON_MS, { caller });
  const { callers, refusals } = drain();
  expect(callers).toMatchObject([kept]);
  expect(refusals).toMatchObject([kept]);
});

test("a refusal says what was asked, of which key, and why", () => {
  const { refuseAs, drain } = counting();
  const ask: Ask = { types: ["public"], environment: "production" };
  refuseAs("environment", heldKey("key_1"), NOON_MS, { ask, id: "req_theirs" });
  expect(drain().refusals).toEqual([
    {
      requestId: "req_theirs",
      atMs: NOON_MS,
      reason: "environment",
      keyId: "key_1",
      types: ["public"],
      environment: "production",
      address: null,
      userAgent: null,
    },
  ]);
});

test("an application's own request id is kept where it can be looked up, and a wall of any length", () => {
  const { refuseAs, drain } = counting();
  const ask: Ask = { types: ["secret"], environment: "x".repeat(1_000) };
  for (const id of ["", "with space", "x".repeat(65), "é"])
    refuseAs("environment", heldKey("key_1"), NOON_MS, { id });
  refuseAs("environment", heldKey("key_1"), NOON_MS, { ask, id: "trace-0/1" });
  const { refusals, counts } = drain();
  expect(refusals.map(({ requestId }) => requestId)).toEqual(["trace-0/1"]);
  expect(refusals[0]?.environment).toHaveLength(64);
  expect(counts).toHaveLength(5);
});

test("what an app without types tells harms neither it nor its node", () => {
  const { tally, refuseAs, drain } = counting();
  const callers: unknown[] = [{ address: "192.0.2.1" }, { address: ["192.0.2.1"], userAgent: 7 }];
  for (const caller of callers) tally.accepted(heldKey("key_1"), NOON_MS, caller as Caller);
  const asks: unknown[] = [
    { types: ["secret", "public", "secret", "live"], environment: "a\u0000é" },
    { types: ["live"], environment: 7 },
  ];
  for (const ask of asks) refuseAs("unknown", null, NOON_MS, { ask: ask as Ask });
  const drained = drain();
  expect(drained.callers).toMatchObject([
    { address: "192.0.2.1", userAgent: null },
    { address: null, userAgent: null },
  ]);
  expect(drained.refusals).toMatchObject([
    { types: ["secret", "public"], environment: "a??" },
    { types: [], environment: null },
  ]);
});

test("who floods the dead keys of one account hides no refusal of another's", () => {
  const { refuseAs, drain } = counting();
  const keys = Array.from({ length: 100 }, (_, at) => heldKey(`key_${at}`));
  const other = heldKey("key_other", "acc_2");
  for (let second = 0; second < 60; second++) {
    for (const key of keys) refuseAs("expired", key, NOON_MS + second * 1_000);
    refuseAs("revoked", other, NOON_MS + second * 1_000);
    const { refusals } = drain();
    expect(refusals.filter(({ keyId }) => keyId === "key_other")).toHaveLength(1);
    if (second > 0) expect(refusals.length).toBeLessThanOrEqual(11);
  }
});

test("under attack some refusals are kept, those of one dead key cost the others nothing, and all are counted", () => {
  const { refuseAs, drain, tally } = counting();
  const dead = heldKey("key_dead");
  for (let at = 0; at < 10_000; at++) refuseAs("revoked", dead, NOON_MS);
  for (let at = 0; at < 10_000; at++) refuseAs("unknown", null, NOON_MS);
  for (let key = 0; key < 20; key++) refuseAs("expired", heldKey(`key_${key}`), NOON_MS);
  const { refusals, counts } = drain();
  const reasons = refusals.map(({ reason }) => reason);
  expect(reasons.filter((reason) => reason === "revoked")).toHaveLength(5);
  expect(reasons.filter((reason) => reason === "unknown")).toHaveLength(50);
  expect(reasons.filter((reason) => reason === "expired")).toHaveLength(20);
  expect(counts[0]?.counts.revoked).toBe(10_000);
  expect(tally.totals.unknown).toBe(10_000);
});

test("once many were kept, so many a second are, also when the wall clock is set back", () => {
  const { refuseAs, drain } = counting();
  const flood = (atMs: number): number => {
    for (let at = 0; at < 1_000; at++) refuseAs("unknown", null, atMs);
    return drain().refusals.length;
  };
  expect(flood(NOON_MS)).toBe(50);
  expect(flood(NOON_MS + 100)).toBe(0);
  expect(flood(NOON_MS + 1_000)).toBe(1);
  expect(flood(NOON_MS - 500_000)).toBe(0);
  expect(flood(NOON_MS - 497_000)).toBe(3);
  expect(flood(NOON_MS)).toBe(50);
});
