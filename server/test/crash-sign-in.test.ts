import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import SqliteDatabase from "better-sqlite3";
import { afterAll, describe, expect, test } from "vitest";
import { createRestartable, startFleet, type Undo, undoAll } from "./fleet.ts";
import { freePort, setUp, startServer, temporaryFolder } from "./real-server.ts";
import { DEEDS } from "./sign-in-storm/somebody.ts";
import { type Crowd, gather, SEED } from "./sign-in-storm/storm.ts";
import { entryOf, openWitness } from "./sign-in-storm/witness.ts";

const PEOPLE = 4;
const KILLS = 6;

const env = {
  LATCHKEY_SIGNUP: "open",
  LATCHKEY_LOG_LEVEL: "fatal",
  // The test is the proxy, and every call of it comes from somewhere else.
  LATCHKEY_TRUSTED_PROXIES: "127.0.0.1",
};

const undo: Undo = [];
afterAll(() => undoAll(undo));

/** A server that can be killed and started again, and people who come to it. */
interface Scene {
  readonly crowd: Crowd;
  readonly victim: { kill(): Promise<void>; start(): Promise<void> };
  /** Holds what the database saw against what the audit log says, where it tells. */
  judge(): Promise<unknown>;
}

const scenes: Readonly<Record<string, () => Promise<Scene>>> = {
  async SQLite() {
    const folder = await temporaryFolder();
    undo.push(folder.remove);
    const first = await setUp({ dataFolder: folder.path });
    const port = await freePort();
    const victim = createRestartable("sqlite", port, () =>
      startServer({ dataFolder: folder.path, port, env }),
    );
    undo.push(victim.end);
    await victim.start();
    const database = new SqliteDatabase(join(folder.path, "latchkey.db"), { readonly: true });
    undo.push(async () => database.close());
    const place = {
      operatorToken: first.operator_token,
      urls: [victim.url],
      async entries(name: string) {
        // One transaction at a time: in the order in which they were written, they were committed.
        const rows = database
          .prepare<[string], Record<string, unknown>>(
            "select * from audit_event where instr(user_agent, ?) = 1 order by rowid",
          )
          .all(name);
        return rows.map(entryOf);
      },
    };
    return { crowd: gather(place, "sqlite", PEOPLE), victim, judge: async () => {} };
  },

  async "one of two nodes on PostgreSQL"() {
    const fleet = await startFleet({ leaseSeconds: [10, 10], env });
    undo.push(fleet.stop);
    const [victim] = fleet.nodes;
    if (victim === undefined) throw new Error("the fleet has no node");
    const { entries, judge } = await openWitness(fleet.postgres, fleet.database);
    const urls = fleet.nodes.map(({ url }) => url);
    const place = { operatorToken: fleet.first.operator_token, entries, urls };
    return { crowd: gather(place, "postgres", PEOPLE), victim, judge };
  },
};

describe.each(Object.entries(scenes))("SIGKILL of %s", (_, open) => {
  test(`keeps of what people do to their sign-ins what was acknowledged, and each with its entry (${KILLS} times, seed ${SEED})`, async () => {
    const { crowd, victim, judge } = await open();
    for (let kill = 0; kill < KILLS; kill++)
      await crowd.storm(
        async (answers) => {
          // Somewhere among them, and somewhere within one.
          await answers(crowd.random.below(PEOPLE * DEEDS));
          await delay(crowd.random.between(0, 40));
          await victim.kill();
        },
        () => victim.start(),
      );
    await judge();
    expect(crowd.told.granted).toBeGreaterThan(PEOPLE);
    expect(crowd.told.lost).toBeGreaterThan(KILLS);
  }, 120_000);
});
