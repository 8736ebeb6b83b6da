import { expect, test } from "vitest";
import { check } from "./checker.ts";
import type { Entry, Subject } from "./history.ts";
import {
  ACCOUNT,
  accept,
  ENVIRONMENT,
  found,
  GONE,
  issue,
  KEY,
  type Line,
  LOST,
  line,
  OTHER_ENVIRONMENT,
  PENDING,
  read,
  refuse,
  revoke,
  SIBLING,
  sound,
  UNAVAILABLE,
  verify,
  whole,
} from "./lines.ts";

test("a sound history has nothing to complain about, and everything in it is counted", () => {
  const { violations, counts } = check(
    whole([
      ...sound(),
      { kind: "fault", ...line(0, 9), fault: "kill" },
      { kind: "fault", ...line(0, 9), fault: "kill" },
      verify({ account: "acc_9", environment: "env_9", key: "key_8", token: null }, 8, 9, 503),
      verify({ account: "acc_9", environment: "env_9", key: "key_8", token: null }, 8, 9, null),
    ]),
  );
  expect(violations).toEqual([]);
  expect(counts).toEqual({
    verifications: 7,
    accepts: 4,
    refusals: 1,
    refusalsAfterReturn: 1,
    acceptsDuringRevocation: 1,
    acceptsHeld: 0,
    acceptsHeldDuringRevocation: 0,
    undecided: 2,
    issued: 2,
    uses: 0,
    usesRefusedAfterReturn: 0,
    revokesReturned: 1,
    deletionsReturned: 0,
    revokesUncertain: 0,
    faults: { kill: 2 },
  });
});

test("an accept that began after the revocation returned is late", () => {
  expect(found(issue(KEY), revoke(KEY, 10, 20), accept(KEY, 20.001))).toEqual(["late accept"]);
});

test("an accept that began before the return, or in the very moment, is right, however late its answer", () => {
  expect(
    found(issue(KEY), revoke(KEY, 10, 20), accept(KEY, 20, 90), accept(KEY, 19.9, 95)),
  ).toEqual([]);
});

test("lines count by their times, not by their order", () => {
  expect(found(accept(KEY, 21), revoke(KEY, 10, 20), issue(KEY))).toEqual(["late accept"]);
});

test("a refusal before the revocation was invoked is early; in the very moment it is not", () => {
  expect(found(issue(KEY), refuse(KEY, 5, 9.999), revoke(KEY, 10, 20))).toEqual(["early refusal"]);
  expect(found(issue(KEY), refuse(KEY, 5, 10), revoke(KEY, 10, 20))).toEqual([]);
});

test("a key that nobody revoked is never refused", () => {
  expect(found(issue(KEY), issue(SIBLING), revoke(SIBLING, 10, 20), refuse(KEY, 30))).toEqual([
    "refused though never revoked",
  ]);
});

test("a revocation of the environment or the account is one of the key, and of no other", () => {
  for (const outer of [ENVIRONMENT, ACCOUNT]) {
    expect(found(issue(KEY), revoke(outer, 10, 20), accept(KEY, 21))).toEqual(["late accept"]);
    expect(found(issue(KEY), revoke(outer, 10, 20), refuse(KEY, 11))).toEqual([]);
    expect(found(issue(KEY), refuse(KEY, 5, 9), revoke(outer, 10, 20))).toEqual(["early refusal"]);
  }
  expect(found(issue(KEY), revoke(OTHER_ENVIRONMENT, 10, 20), accept(KEY, 21))).toEqual([]);
  expect(found(issue(KEY), revoke(OTHER_ENVIRONMENT, 10, 20), refuse(KEY, 21))).toEqual([
    "refused though never revoked",
  ]);
});

test("of a key and its environment, whichever was revoked first decides", () => {
  const lines = [issue(KEY), revoke(KEY, 10, 50), revoke(ENVIRONMENT, 20, 30)];
  expect(found(...lines, accept(KEY, 31))).toEqual(["late accept"]);
  expect(found(...lines, accept(KEY, 29), refuse(KEY, 11, 12))).toEqual([]);
  expect(found(...lines, refuse(KEY, 8, 9))).toEqual(["early refusal"]);
});

test.each([
  ["an answer that was lost", LOST],
  ["a 503", UNAVAILABLE],
  ["a 408", { status: 408, state: null }],
  ["a 202", PENDING],
])("after %s both outcomes are right, until a later revocation returns", (_name, answer) => {
  const unsure = [issue(KEY), revoke(KEY, 10, 20, answer)];
  expect(found(...unsure, accept(KEY, 30), refuse(KEY, 31), accept(KEY, 32))).toEqual([]);
  expect(found(...unsure, refuse(KEY, 5, 9))).toEqual(["early refusal"]);
  const sure = [...unsure, accept(KEY, 30), revoke(KEY, 40, 50), accept(KEY, 49)];
  expect(found(...sure)).toEqual([]);
  expect(found(...sure, accept(KEY, 51))).toEqual(["late accept"]);
});

test("the refusals of an ambiguous revocation are justified from its own beginning, not from the repeat's", () => {
  expect(
    found(issue(KEY), revoke(KEY, 10, 20, LOST), refuse(KEY, 11, 12), revoke(KEY, 40, 50)),
  ).toEqual([]);
});

test("of two revocations at once, the one that returns first promises", () => {
  expect(found(issue(KEY), revoke(KEY, 10, 60), revoke(KEY, 11, 20), accept(KEY, 15, 70))).toEqual(
    [],
  );
  expect(found(issue(KEY), revoke(KEY, 10, 60), revoke(KEY, 11, 20), accept(KEY, 25))).toEqual([
    "late accept",
  ]);
});

test("a revocation that was not waited for counts from a read that says effective", () => {
  const unsure = [issue(KEY), revoke(KEY, 10, 12, PENDING), read(KEY, 13, 14, "pending")];
  expect(found(...unsure, accept(KEY, 15))).toEqual([]);
  expect(found(...unsure, read(KEY, 16, 20, "effective"), accept(KEY, 20))).toEqual([]);
  expect(found(...unsure, read(KEY, 16, 20, "effective"), accept(KEY, 21))).toEqual([
    "late accept",
  ]);
  expect(found(issue(KEY), read(KEY, 16, 20, "effective"))).toEqual(["unexpected answer"]);
});

test("not there, after somebody began to delete it, promises what success does", () => {
  for (const outer of [ENVIRONMENT, ACCOUNT]) {
    const repeated = [issue(KEY), revoke(outer, 10, 20, LOST), revoke(outer, 25, 30, GONE)];
    expect(found(...repeated, accept(KEY, 26))).toEqual([]);
    expect(found(...repeated, accept(KEY, 31))).toEqual(["late accept"]);
    const within = [issue(KEY), revoke(outer, 10, 20, LOST), revoke(KEY, 25, 30, GONE)];
    expect(found(...within, accept(KEY, 31))).toEqual(["late accept"]);
  }
});

test("not there, when nobody deleted it, is unexpected", () => {
  expect(found(issue(KEY), revoke(KEY, 10, 20, GONE))).toEqual(["unexpected answer"]);
  expect(found(issue(KEY), revoke(ENVIRONMENT, 10, 20, GONE))).toEqual(["unexpected answer"]);
  expect(found(issue(KEY), revoke(KEY, 5, 9, LOST), revoke(KEY, 10, 20, GONE))).toEqual([
    "unexpected answer",
  ]);
  expect(found(issue(KEY), revoke(ENVIRONMENT, 10, 20, GONE), revoke(ENVIRONMENT, 30, 40))).toEqual(
    ["unexpected answer"],
  );
});

test("a 202 to a call that wanted to wait, and a success that says pending, are unexpected", () => {
  expect(found(issue(KEY), revoke(KEY, 10, 20, { ...PENDING, wait: true }))).toEqual([
    "unexpected answer",
  ]);
  for (const state of ["pending", null] as const)
    expect(found(issue(KEY), revoke(KEY, 10, 20, { state }))).toEqual(["unexpected answer"]);
});

test("a verification is answered with 200, 401, 408 or 503, and nothing else", () => {
  for (const status of [404, 403, 429, 500, 502])
    expect(found(issue(KEY), verify(KEY, 2, 3, status))).toEqual(["unexpected answer"]);
  for (const status of [503, 408, null])
    expect(found(issue(KEY), revoke(KEY, 10, 20), verify(KEY, 30, 31, status))).toEqual([]);
});

test("other calls fail with a 503, with a 408 or without an answer, and in no other way", () => {
  const unissued = { ...ENVIRONMENT };
  for (const status of [400, 401, 409, 500])
    expect(found(issue(unissued, status))).toEqual(["unexpected answer"]);
  for (const status of [503, 408, null]) expect(found(issue(unissued, status))).toEqual([]);
  for (const status of [401, 409, 500])
    expect(found(issue(KEY), revoke(KEY, 10, 20, { status, state: null }))).toEqual([
      "unexpected answer",
    ]);
  expect(found(read(KEY, 10, 20, null, 404))).toEqual(["unexpected answer"]);
});

test("a history that does not add up is malformed", () => {
  const twice = issue(KEY);
  expect(found(twice, { ...accept(KEY, 2), id: twice.id })).toEqual(["malformed"]);
  expect(found(issue(KEY), accept(KEY, 9, 8))).toEqual(["malformed"]);
  expect(found(issue(KEY), accept(KEY, Number.NaN))).toContain("malformed");
  expect(found(accept(KEY, 2))).toEqual(["malformed"]);
  expect(found(issue(KEY), accept(KEY, 0.5))).toEqual(["malformed"]);
  expect(found(issue(KEY), issue(KEY))).toEqual(["malformed"]);
  expect(found(issue({ ...KEY, environment: null }))).toEqual(["malformed"]);
  expect(found(issue(ENVIRONMENT), issue(ACCOUNT))).toEqual([]);
  expect(found(issue(KEY), accept({ ...KEY, environment: "env_2" }, 2))).toEqual(["malformed"]);
});

test("a history without its end, or with lines missing, is malformed", () => {
  const kinds = (history: Entry[]) => check(history).violations.map(({ kind }) => kind);
  expect(kinds(whole(sound()))).toEqual([]);
  expect(kinds(sound())).toEqual(["malformed"]);
  expect(kinds(whole(sound()).slice(1)).filter((kind) => kind === "malformed")).not.toEqual([]);
  const last = sound();
  expect(kinds([...last.slice(0, -1), { kind: "end", entries: last.length }])).toEqual([
    "malformed",
  ]);
  expect(kinds([...whole(sound()), accept(KEY, 2)])).toContain("malformed");
});

test("accepts of an app by what it held are counted, and an app without any proves nothing", () => {
  const fine: Subject = { account: "acc_9", environment: "env_9", key: "key_9", token: null };
  const by = (held: boolean, ...lines: Line[]): Line[] =>
    lines.map((each) => (each.kind === "verify" ? { ...each, node: "app", held } : each));
  const refused = by(false, refuse(fine, 7));
  const warm = by(true, accept(fine, 2), accept(fine, 4.2));
  const { violations, counts } = check(whole([...sound(), ...warm, ...refused]));
  expect(violations).toEqual([]);
  expect(counts).toMatchObject({ acceptsHeld: 2, acceptsHeldDuringRevocation: 1 });
  const cold = by(false, accept(fine, 2), accept(fine, 4.2));
  expect(check(whole([...sound(), ...cold, ...refused])).violations).toEqual([
    { kind: "vacuous", text: "app accepted nothing by what it held" },
  ]);
});

test("a history in which nothing could have gone wrong is vacuous", () => {
  const texts = (...lines: Line[]) =>
    check(whole(lines)).violations.map(({ kind, text }) => `${kind}: ${text}`);
  expect(texts()).toEqual([
    "vacuous: nothing was accepted",
    "vacuous: no revocation returned",
    "vacuous: nothing was refused after a revocation returned",
  ]);
  expect(texts(issue(KEY), accept(KEY, 2), revoke(KEY, 3, 4, UNAVAILABLE), refuse(KEY, 5))).toEqual(
    [
      "vacuous: no revocation returned",
      "vacuous: nothing was refused after a revocation returned",
      "vacuous: n did not both accept and refuse",
    ],
  );
  const quiet = {
    ...verify({ account: "acc_9", environment: "env_9", key: "key_8", token: null }, 8, 9, 503),
  };
  expect(texts(...sound(), { ...quiet, node: "idle" })).toEqual([
    "vacuous: idle did not both accept and refuse",
  ]);
});
