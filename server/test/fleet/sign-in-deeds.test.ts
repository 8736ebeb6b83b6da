import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fleet, startFleet } from "../fleet.ts";
import { attempt, isGranted } from "../sign-in-storm/attempts.ts";
import { makeResetLink, signUp } from "../sign-in-storm/deeds.ts";
import { DEEDS } from "../sign-in-storm/somebody.ts";
import { type Crowd, gather, SEED } from "../sign-in-storm/storm.ts";
import { openWitness, type Witness } from "../sign-in-storm/witness.ts";
import { nodeOf } from "./probe.ts";

const PEOPLE = 4;
const ROUNDS = 5;

/** More than the nodes have connections for requests. */
const AT_ONCE = 50;

let fleet: Fleet;
let witness: Witness;
beforeAll(async () => {
  fleet = await startFleet({
    leaseSeconds: [10, 10, 10],
    // The test is the proxy, and every call of it comes from somewhere else.
    env: { LATCHKEY_SIGNUP: "open", LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" },
  });
  witness = await openWitness(fleet.postgres, fleet.database);
});
afterAll(() => fleet?.stop());

const gathered = (name: string): Crowd =>
  gather(
    {
      operatorToken: fleet.first.operator_token,
      entries: witness.entries,
      urls: fleet.nodes.map(({ url }) => url),
    },
    name,
    PEOPLE,
  );

test(`of what people do to their sign-ins on three nodes at once, what is done has one entry and what is refused none (seed ${SEED})`, async () => {
  const crowd = gathered("calm");
  for (let round = 0; round < ROUNDS; round++) await crowd.storm(async () => {});
  await witness.judge();
  const { granted, refused, entries, lost } = crowd.told;
  expect(lost).toBeLessThan(granted); // a machine that is busy elsewhere may keep the database waiting
  expect(granted).toBeGreaterThan(PEOPLE * ROUNDS);
  expect(entries).toBeGreaterThan(PEOPLE * ROUNDS);
  expect(refused).toBeGreaterThan(PEOPLE);
}, 120_000);

describe("a database that lets go of everybody in the middle of such deeds", () => {
  const terminated = () =>
    fleet.postgres.run(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = '${fleet.database}' and pid <> pg_backend_pid()`,
    );

  test(`has no deed without its entry, and no entry without its deed (seed ${SEED})`, async () => {
    const crowd = gathered("struck");
    for (let round = 0; round < ROUNDS; round++)
      await crowd.storm(async (answers) => {
        for (const share of [crowd.random.between(0, 0.3), 0.5, 0.8]) {
          await answers(Math.ceil(share * PEOPLE * DEEDS));
          await terminated();
        }
      });
    await crowd.storm(async (answers) => {
      await answers(2);
      await fleet.postgres.restart("immediate");
    });
    await witness.judge();
    expect(crowd.told.granted).toBeGreaterThan(PEOPLE);
    expect(crowd.told.lost).toBeGreaterThan(0);
  }, 120_000);

  test("leaves no connection that is good for nothing", async () => {
    const emails = Array.from({ length: 10 }, (_, index) => `afterwards-${index}@example.com`);
    for (const [index, email] of emails.entries()) {
      const deed = signUp(email, "a password of some length");
      expect(isGranted(await attempt(nodeOf(fleet, index % 3).url, "a newcomer", deed))).toBe(true);
    }
    await terminated();
    const made = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        attempt(
          nodeOf(fleet, index % 3).url,
          `afterwards ${index}`,
          makeResetLink(fleet.first.operator_token, {
            email: emails[index % emails.length] ?? "",
            removesSecondFactor: false,
          }),
        ),
      ),
    );
    expect(made.map(({ answer }) => answer?.status)).toEqual(Array(AT_ONCE).fill(201));
    expect(await witness.entries("afterwards ")).toHaveLength(AT_ONCE);
  });
});
