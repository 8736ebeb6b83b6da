import type { AuditLogJson } from "@latchkey/sdk/client";
import { expect, test } from "vitest";
import { ACTION_GROUPS, plainly, sentenceOf } from "../../../dashboard/src/audit-words.ts";
import { AUDIT_ACTIONS } from "../../src/store/store.ts";

/** Deeds of people and of the operator, which are in no account's log. */
const ELSEWHERE = /^(?:person|password_reset_link)\./;

const told = AUDIT_ACTIONS.filter((action) => !ELSEWHERE.test(action));

/** The end of an account's log: nobody can open it any more to look for that. */
const LAST = "account.deleted";

const entryOf = (action: string): AuditLogJson => ({
  id: "evt_1",
  at: "2026-01-31T12:00:00.000Z",
  action,
  actor: { type: "person", id: "per_1", name: "Ada" },
  environment: null,
  subject: { type: "account", id: "acc_1", name: "Acme" },
  api_key: null,
  request_id: null,
  address: null,
  user_agent: null,
  details: {},
});

/** What is said of a deed that nobody has written a sentence for. */
const bare = (action: string): string => `${action.replace(/[._]/g, " ")} Acme`;

test.each(told)("%s has its sentence", (action) => {
  const sentence = plainly(sentenceOf(entryOf(action)));
  expect(sentence).not.toBe(bare(action));
  expect(sentence).not.toBe("");
});

test("what a later server does is told in its own words", () => {
  expect(plainly(sentenceOf(entryOf("quota.used_up")))).toBe(bare("quota.used_up"));
});

test("every action of an account's log but its last can be looked for, once, in its group, and no other", () => {
  const offered = ACTION_GROUPS.flatMap(({ items }) => items.map(([action]) => action));
  expect(offered.toSorted()).toEqual(told.filter((action) => action !== LAST).toSorted());
  for (const { all, items } of ACTION_GROUPS)
    for (const [action] of items) expect(action.startsWith(all.slice(0, -1)), action).toBe(true);
});
