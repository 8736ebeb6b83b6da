import { expect, test } from "vitest";
import { check } from "./checker.ts";
import type { Subject } from "./history.ts";
import {
  accept,
  EXCHANGED,
  found,
  GONE,
  issue,
  KEY,
  type Line,
  LOST,
  OTHER_TOKEN,
  refuse,
  revoke,
  sound,
  TOKEN,
  use,
  whole,
} from "./lines.ts";

/** A service token that a node tells living and dead: what a test adds is all there is to complain about. */
function soundToken(): Line[] {
  const fine: Subject = { account: "acc_9", environment: null, key: null, token: "tok_9" };
  return [issue(fine), use(fine, 2, 3, 200), revoke(fine, 4, 5), use(fine, 6, 7, 401)];
}

const foundOfTokens = (...lines: Line[]): string[] => found(...soundToken(), ...lines);

test("a service token that is deleted opens nothing from the return on, and is told apart from others", () => {
  const deleted = [issue(TOKEN), issue(OTHER_TOKEN), revoke(TOKEN, 10, 20)];
  expect(foundOfTokens(...deleted, use(TOKEN, 9, 30, 200), use(TOKEN, 20, 21, 200))).toEqual([]);
  expect(foundOfTokens(...deleted, use(TOKEN, 20.001, 21, 200))).toEqual(["late accept"]);
  expect(foundOfTokens(...deleted, use(TOKEN, 21, 22, 401))).toEqual([]);
  expect(foundOfTokens(...deleted, use(OTHER_TOKEN, 21, 22, 200))).toEqual([]);
  expect(foundOfTokens(...deleted, use(OTHER_TOKEN, 21, 22, 401))).toEqual([
    "refused though never revoked",
  ]);
  expect(foundOfTokens(...deleted, use(TOKEN, 5, 9, 401))).toEqual(["early refusal"]);
});

test("the keys that a service token was exchanged for end with it, and no other key does", () => {
  const made = [issue(TOKEN), issue(EXCHANGED, 200), issue(KEY)];
  const deleted = [...made, revoke(TOKEN, 10, 20)];
  expect(foundOfTokens(...deleted, accept(EXCHANGED, 19), refuse(EXCHANGED, 11))).toEqual([]);
  expect(foundOfTokens(...deleted, accept(EXCHANGED, 21))).toEqual(["late accept"]);
  expect(foundOfTokens(...deleted, refuse(EXCHANGED, 5, 9))).toEqual(["early refusal"]);
  expect(foundOfTokens(...deleted, accept(KEY, 21))).toEqual([]);
  expect(foundOfTokens(...deleted, refuse(KEY, 21))).toEqual(["refused though never revoked"]);
  // Its own end is not the token's.
  expect(foundOfTokens(...made, revoke(EXCHANGED, 10, 20), use(TOKEN, 21, 22, 401))).toEqual([
    "refused though never revoked",
  ]);
});

test("a deletion of a service token whose answer was lost promises once it is not there", () => {
  const repeated = [issue(TOKEN), revoke(TOKEN, 10, 20, LOST), revoke(TOKEN, 25, 30, GONE)];
  expect(foundOfTokens(...repeated, use(TOKEN, 26, 40, 200))).toEqual([]);
  expect(foundOfTokens(...repeated, use(TOKEN, 31, 32, 200))).toEqual(["late accept"]);
  expect(foundOfTokens(issue(TOKEN), revoke(TOKEN, 25, 30, GONE))).toEqual(["unexpected answer"]);
  const other = [issue(TOKEN), issue(OTHER_TOKEN), revoke(OTHER_TOKEN, 10, 20, LOST)];
  expect(foundOfTokens(...other, revoke(TOKEN, 25, 30, GONE))).toEqual(["unexpected answer"]);
});

test("a call with a service token is answered with 200, 401, 408 or 503, and nothing else", () => {
  for (const status of [404, 403, 429, 500, 502])
    expect(foundOfTokens(issue(TOKEN), use(TOKEN, 2, 3, status))).toEqual(["unexpected answer"]);
  for (const status of [503, 408, null])
    expect(foundOfTokens(issue(TOKEN), revoke(TOKEN, 10, 20), use(TOKEN, 30, 31, status))).toEqual(
      [],
    );
});

test("an exchange answers 200 and a creation 201; what is used must have been made before", () => {
  expect(foundOfTokens(issue(TOKEN), issue(EXCHANGED, 201))).toEqual(["unexpected answer"]);
  expect(foundOfTokens(issue(TOKEN, 200))).toEqual(["unexpected answer"]);
  expect(foundOfTokens(use(TOKEN, 2, 3, 200))).toEqual(["malformed"]);
  expect(foundOfTokens(issue(TOKEN), use(TOKEN, 0.5, 3, 200))).toEqual(["malformed"]);
  expect(foundOfTokens(issue(TOKEN), issue(TOKEN))).toEqual(["malformed"]);
  expect(
    foundOfTokens(issue(TOKEN), issue(EXCHANGED, 200), accept({ ...EXCHANGED, token: "tok_2" }, 2)),
  ).toEqual(["malformed"]);
});

test("a node that never showed that it refuses a deleted service token proves nothing about tokens", () => {
  const { violations, counts } = check(
    whole([...sound(), ...soundToken(), issue(TOKEN), use(TOKEN, 8, 9, 200, "idle")]),
  );
  expect(violations).toEqual([
    { kind: "vacuous", text: "idle (service tokens) did not both accept and refuse" },
  ]);
  expect(counts).toMatchObject({
    verifications: 5,
    uses: 3,
    usesRefusedAfterReturn: 1,
    revokesReturned: 2,
    deletionsReturned: 1,
  });
});
