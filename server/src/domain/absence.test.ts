import assert from "node:assert/strict";
import { Failure } from "@latchkey/sdk/core";
import { afterEach, expect, test } from "vitest";
import { makeWorld } from "../../test/store/world.ts";
import { ambientOf } from "../ambient.ts";
import { openSqlite } from "../store/sqlite.ts";
import type { Revocation } from "../store/store.ts";
import { type AccountDeps, deleteAccount, updateAccount } from "./accounts.ts";
import { deleteEnvironment, renameEnvironment } from "./environments.ts";
import { revokeKey } from "./keys.ts";
import { tokenMaker } from "./tokens.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The domain on a store whose account `acme` has one key in `production`, and a barrier that waits for the test. */
async function domain() {
  const ambient = ambientOf({
    nowMs: () => 0,
    monoMs: () => 0,
    randomBytes: (count) => Buffer.alloc(count, 7),
  });
  let made = 0;
  const { store, db } = await openSqlite(":memory:", { randomId: () => `random_${++made}` });
  closing.push(() => store.close());
  const world = await makeWorld(store, db);
  const key = await world.stored("production");
  const waiting: {
    readonly seq: number;
    end(receipt: Revocation): void;
    fail(error: Failure): void;
  }[] = [];
  const deps: AccountDeps = {
    store,
    ambient,
    makeToken: tokenMaker(ambient.randomBytes, null),
    barrier: {
      publish: async () => {},
      complete: (seq) =>
        new Promise((end, fail) => {
          waiting.push({ seq, end, fail });
        }),
    },
  };
  const { acme, origin } = world;
  const ask = (wait: boolean) => ({ reason: null, wait });
  return {
    ...world,
    /** The barriers that were waited for, in order. */
    waiting,
    deeds: {
      deleteEnvironment: () => deleteEnvironment(deps, acme, "production", origin()),
      renameEnvironment: () => renameEnvironment(acme, "production", "Live", origin()),
      revokeKey: () => revokeKey(deps, acme, key.id, ask(true), origin(), null),
      "revokeKey without wait": () => revokeKey(deps, acme, key.id, ask(false), origin(), null),
      deleteAccount: () => deleteAccount(deps, "acme", origin()),
      suspend: () => updateAccount(deps, "acme", { suspended: true }, origin()),
      rename: () => updateAccount(deps, "acme", { name: "New" }, origin()),
    },
  };
}

type Deed = keyof Awaited<ReturnType<typeof domain>>["deeds"];

const MISSING = { code: "resource_missing" };

/** What is gone after each deletion, for whoever takes it away again. */
const REPEATS: readonly [Deed, Deed][] = [
  ["deleteEnvironment", "deleteEnvironment"],
  ["deleteEnvironment", "revokeKey"],
  ["deleteEnvironment", "revokeKey without wait"],
  ["deleteAccount", "deleteAccount"],
  ["deleteAccount", "suspend"],
  ["deleteAccount", "deleteEnvironment"],
  ["deleteAccount", "revokeKey"],
];

test.each(REPEATS)(
  "after %s is %s answered not before what is gone is refused everywhere",
  async (deletion, repeat) => {
    const { deeds, waiting, store } = await domain();
    const first = deeds[deletion]();
    await expect.poll(() => waiting.length).toBe(1);
    let answered = false;
    const again = deeds[repeat]().finally(() => {
      answered = true;
    });
    await expect.poll(() => waiting.length).toBe(2);
    expect(waiting.map(({ seq }) => seq)).toEqual([1, 1]);
    expect(answered).toBe(false);

    const receipt = { effectiveAtMs: 1, tookMs: 1, acknowledged: 1, lapsed: 0 };
    const effective = await store.leases.recordEffective(1, receipt);
    for (const { end } of waiting) end(effective);
    await assert.rejects(again, MISSING);
    expect(await first).toEqual(effective);
    await assert.rejects(deeds[repeat](), MISSING);
    expect(waiting).toHaveLength(2); // what is effective is waited for by nobody
  },
);

test.each(REPEATS)(
  "after %s nobody reads of %s as done while it cannot be proved",
  async (deletion, repeat) => {
    const { deeds, waiting } = await domain();
    const unproved = new Failure("service_unavailable", "Repeat the call.");
    for (const deed of [deletion, repeat]) {
      const answer = assert.rejects(deeds[deed](), unproved);
      await expect.poll(() => waiting.length).toBe(1);
      waiting.pop()?.fail(unproved);
      await answer;
    }
  },
);

test("what takes nothing away is told at once that there is nothing", async () => {
  const { deeds, waiting } = await domain();
  for (const [deletion, others] of [
    ["deleteEnvironment", ["renameEnvironment"]],
    ["deleteAccount", ["renameEnvironment", "rename"]],
  ] as const) {
    deeds[deletion]().catch(() => {});
    await expect.poll(() => waiting.length).toBe(1);
    for (const other of others) await assert.rejects(deeds[other](), MISSING);
    expect(waiting.splice(0)).toHaveLength(1);
  }
});

test("suspending again waits for the first suspension, until that is effective", async () => {
  const { deeds, waiting, store } = await domain();
  const calls = [deeds.suspend(), deeds.suspend()];
  await expect.poll(() => waiting.length).toBe(2);
  expect(waiting.map(({ seq }) => seq)).toEqual([1, 1]);
  const receipt = { effectiveAtMs: 1, tookMs: 1, acknowledged: 1, lapsed: 0 };
  const effective = await store.leases.recordEffective(1, receipt);
  for (const { end } of waiting) end(effective);
  for (const account of await Promise.all(calls)) expect(account.revocation).toEqual(effective);
  expect((await deeds.suspend()).revocation).toEqual(effective);
  expect(waiting).toHaveLength(2);
});
