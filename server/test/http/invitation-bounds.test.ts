import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Mail } from "../../src/mail.ts";
import { openWorld, type Populated, type World } from "./world.ts";

const HOUR_MS = 3_600_000;

let world: World;
const mails: Mail[] = [];
const invite = (account: Populated, email: string) =>
  world.call("POST /v1/invitations", {
    token: account.serviceToken,
    body: { email, role: "member" },
  });

/** Invites that many different addresses to acme; resolves to the statuses there were. */
async function inviteMany(count: number): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let index = 1; index <= count; index += 1)
    statuses.add((await invite(world.acme, `guest-${index}@example.com`)).status);
  return statuses;
}

const openOfAcme = async () =>
  (
    await world.db
      .selectFrom("invitation")
      .where("account_id", "=", world.acme.id)
      .selectAll()
      .execute()
  ).length;

afterEach(() => world.close());

describe("where mail is sent", () => {
  beforeEach(async () => {
    mails.length = 0;
    world = await openWorld(() => ({ mail: async (mail) => void mails.push(mail) }));
  });

  test("an account sends 100 invitations in an hour, to whomever, and then waits", async () => {
    expect(await inviteMany(100)).toEqual(new Set([201]));
    world.clock.nowMs += HOUR_MS - 1;
    const late = await invite(world.acme, "late@example.com");
    expect([late.status, late.body.code]).toEqual([429, "rate_limited"]);
    expect([mails.length, await openOfAcme()]).toEqual([100, 100]);
    // Nobody else waits for them.
    expect((await invite(world.rival, "late@example.com")).status).toBe(201);
    world.clock.nowMs += 1;
    expect((await invite(world.acme, "late@example.com")).status).toBe(201);
  });

  test("nobody is flooded: one address is mailed ten times in an hour, whoever asks", async () => {
    const email = "flooded@example.com";
    for (const account of [world.acme, world.rival])
      for (let round = 0; round < 5; round += 1)
        expect((await invite(account, email)).status).toBe(201);
    const refused = [await invite(world.acme, email), await invite(world.rival, email)];
    expect(refused.map(({ status }) => status)).toEqual([429, 429]);
    expect(mails.map(({ to }) => to)).toEqual(Array(10).fill(email));
    expect((await invite(world.acme, "other@example.com")).status).toBe(201);
    world.clock.nowMs += HOUR_MS;
    expect((await invite(world.rival, email)).status).toBe(201);
  });
});

test("where no mail is sent nobody waits, and an account has 200 invitations open at most", async () => {
  world = await openWorld();
  expect(await inviteMany(200)).toEqual(new Set([201]));
  const late = await invite(world.acme, "late@example.com");
  expect([late.status, late.body.code]).toEqual([409, "conflict"]);
  expect(await openOfAcme()).toBe(200);
  // One that is open already gets a new link, and another account has its own.
  expect((await invite(world.acme, "guest-1@example.com")).status).toBe(201);
  expect((await invite(world.rival, "late@example.com")).status).toBe(201);
});
