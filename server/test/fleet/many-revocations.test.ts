import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHANGES_KEPT } from "../../src/domain/revocation/node.ts";
import { tokenMaker } from "../../src/domain/tokens.ts";
import { waitFor } from "../child.ts";
import { type Fleet, type FleetNode, startFleet } from "../fleet.ts";
import { type Issued, issueHeld, nodeOf, statusesOf, statusOf } from "./probe.ts";

const REVOCATIONS = 2_000;
const AT_ONCE = 16;

/** Less than what is kept, so that no node that reads on can fall behind it. */
const CHANGES_AT_ONCE = CHANGES_KEPT / 2;

/** The machine has revocations to do as well. */
const VERIFY_EVERY_MS = 25;

const makeToken = tokenMaker(randomBytes, null);

/** Far above what the rounds of a garbage collector leave, far below what keeping each answer would take. */
const MEMORY_GROWTH_MAX_MB = 128;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ leaseSeconds: [10, 10, 10] });
});
afterAll(() => fleet?.stop());

/** Does `work` for each item, some at a time. */
async function each<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>) {
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) await work(item, index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Memory of a node's process that is in use, MB; `null` where the system does not tell. */
async function memoryMb(node: FleetNode): Promise<number | null> {
  const status = await readFile(`/proc/${node.server().pid}/status`, "utf8").catch(() => "");
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kb === undefined ? null : Number(kb) / 1_024;
}

/**
 * Issues many keys at a stroke: copies of one, each with a token of its own.
 *
 * @returns Their ids and tokens; no node holds one yet.
 */
async function issueMany(count: number): Promise<Issued[]> {
  const { id: model } = await issueHeld(fleet);
  const keys = Array.from({ length: count }, (_, index) => {
    const { token, digest } = makeToken("sk");
    return { id: `key_${index.toString(16).padStart(32, "0")}`, token, digest };
  });
  const copies = keys.map(({ id, digest }) => {
    const hex = Buffer.from(digest, "base64url").toString("hex");
    return `('${id}', '\\x${hex}')`;
  });
  await fleet.postgres.run(
    `insert into api_key overriding user value select copy.*
      from (values ${copies.join()}) as made (id, digest),
        api_key as model, jsonb_populate_record(model, to_jsonb(made)) as copy
      where model.id = '${model}'`,
    fleet.database,
  );
  return keys;
}

/** Asks a node about a key that stays, at a calm pace until `done`; resolves to what it was told. */
async function verifyUntil(done: () => boolean, node: FleetNode, { token }: Issued) {
  const told: number[] = [];
  for (; !done(); await delay(VERIFY_EVERY_MS)) told.push(await statusOf(node, token));
  return told;
}

test(`${REVOCATIONS} revocations back to back fail nowhere, and none is accepted once it is answered`, async () => {
  const keys = await issueMany(REVOCATIONS);
  await each(keys, async ({ token }, index) => {
    expect(await statusOf(nodeOf(fleet, index % 3), token)).toBe(200);
  });
  const staying = await issueHeld(fleet);
  const before = await Promise.all(fleet.nodes.map(memoryMb));

  let done = false;
  const verifying = fleet.nodes.map((node) => verifyUntil(() => done, node, staying));
  const accepted: string[] = [];
  await each(keys, async ({ id, token }, index) => {
    const { revocation } = await nodeOf(fleet, (index + 1) % 3).client.apiKeys.revoke(id);
    expect(revocation).toMatchObject({ state: "effective", acknowledged: 3, lapsed: 0 });
    for (const status of await statusesOf(fleet.nodes, token))
      if (status !== 401) accepted.push(`${id}: ${status}`);
  }).finally(() => {
    done = true;
  });
  expect(accepted).toEqual([]);
  for (const told of await Promise.all(verifying)) expect([...new Set(told)]).toEqual([200]);
  const after = await Promise.all(fleet.nodes.map(memoryMb));
  for (const [index, mb] of after.entries())
    expect((mb ?? 0) - (before[index] ?? 0)).toBeLessThan(MEMORY_GROWTH_MAX_MB);
}, 180_000);

/** Adds changes of digests that nobody has. */
async function addChanges(count: number): Promise<void> {
  await fleet.postgres.run(
    `with clock as (update change_clock set seq = seq + ${count} returning seq)
      insert into change (seq, id, kind, subject)
      select seq - ${count} + n, gen_random_uuid(), 'key', translate(encode(sha256(n::text::bytea), 'base64'), '+/=', '-_')
      from clock, generate_series(1, ${count}) as n`,
    fleet.database,
  );
}

/** Whether every node's row says that it has applied all there is. */
async function keptUp(): Promise<true | undefined> {
  const [behind] = await fleet.postgres.run(
    "select 1 from node, change_clock where node.applied_seq < change_clock.seq",
    fleet.database,
  );
  return behind === undefined ? true : undefined;
}

test("the log of changes is cut to what is kept, whatever was added, and nodes that keep up never notice", async () => {
  const staying = await issueHeld(fleet);
  const log = async () => {
    const [found] = await fleet.postgres.run(
      "select count(*)::int as kept, max(seq) - min(seq) + 1 as range from change",
      fleet.database,
    );
    return found;
  };
  for (let added = 0; added < 2 * CHANGES_KEPT; added += CHANGES_AT_ONCE) {
    await addChanges(CHANGES_AT_ONCE);
    await waitFor("every node to keep up", keptUp, { withinMs: 20_000, everyMs: 20 });
  }
  await waitFor(
    "the log to be cut",
    async () => (Number((await log())?.kept) <= CHANGES_KEPT ? true : undefined),
    { withinMs: 40_000, everyMs: 100 },
  );
  expect(await log()).toEqual({ kept: CHANGES_KEPT, range: String(CHANGES_KEPT) });
  expect(await statusesOf(fleet.nodes, staying.token)).toEqual([200, 200, 200]);

  const key = await issueHeld(fleet);
  const { revocation } = await nodeOf(fleet, 0).client.apiKeys.revoke(key.id);
  expect(revocation).toMatchObject({ acknowledged: 3, lapsed: 0 });
  expect(await statusesOf(fleet.nodes, key.token)).toEqual([401, 401, 401]);
}, 60_000);
