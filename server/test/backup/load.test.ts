import { createHash } from "node:crypto";
import { join } from "node:path";
import { connectVerifier } from "@latchkey/sdk";
import SqliteDatabase from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { freePort, type RealServer, startServer } from "../real-server.ts";
import { outcomeOf } from "../verifiers/world.ts";
import { accepts, keysOf, makePlace, type Place } from "./world.ts";

/** Rows that are there before anything is done: so many that a backup takes several steps. */
const STORED = 30_000;

const LEASE = { LATCHKEY_LEASE_SECONDS: "2" };

let place: Place;
let server: RealServer;
let port: number;
beforeAll(async () => {
  place = await makePlace();
  storeKeys(place.dataFolder);
  port = await freePort();
  server = await startServer({ dataFolder: place.dataFolder, port, env: LEASE });
});
afterAll(async () => {
  await server?.end("SIGKILL");
  await place?.remove();
});

/** Keys that nobody uses, put in while no server runs. */
function storeKeys(dataFolder: string): void {
  const database = new SqliteDatabase(join(dataFolder, "latchkey.db"));
  const columns = `id, environment_id, type, digest, hint, description, metadata, search_text, created_at,
    created_by_type, created_by_id, created_by_name`;
  const insert = database.prepare(`insert into api_key (${columns})
    select ?, id, 'secret', ?, 'sk_…0000', ?, '{}', '', 1, 'system', 'load', 'load' from environment
    where slug = 'production'`);
  database.exec("begin");
  for (let key = 0; key < STORED; key++) {
    const id = `key_${String(key).padStart(32, "0")}`;
    insert.run(id, createHash("sha256").update(id).digest(), "x".repeat(200));
  }
  database.exec("commit");
  database.close();
}

test("a backup under load restores, and no key revoked before or after it is accepted again", async () => {
  const verifier = await connectVerifier({
    url: server.url,
    token: place.first.verifier_token,
  });
  try {
    const keys = keysOf(server.url, place.first);
    const revoked: { id: string; token: string }[] = [];
    const issued: { id: string; token: string }[] = [];
    const chosen = new Set<string>();
    let stop = false;
    let failures = 0;
    const work = async () => {
      while (!stop) {
        const key = await keys.issue();
        if (!(await accepts(server.url, key.token))) failures += 1;
        if ((await outcomeOf(verifier, key.token)) !== "accepted") failures += 1;
        issued.push(key);
        const dies = issued[Math.floor(issued.length / 2)];
        if (dies === undefined || issued.length % 2 === 0) continue;
        if (chosen.has(dies.id)) continue;
        chosen.add(dies.id);
        await keys.revoke(dies.id);
        revoked.push(dies);
      }
    };
    const kept = await keys.issue();
    const workers = [work(), work(), work()];
    await waitFor("some revocations", () => (revoked.length >= 10 ? true : undefined));
    const issuedBefore = issued.length;
    const made = await place.run(["backup", place.path("backup.db")], LEASE);
    expect(made).toMatchObject({ code: 0, stdout: "" });
    expect(issued.length).toBeGreaterThan(issuedBefore); // the backup held nobody up
    const revokedBefore = revoked.length;
    await waitFor("some more", () => (revoked.length >= revokedBefore + 10 ? true : undefined));
    stop = true;
    await Promise.all(workers);
    expect(failures).toBe(0);
    expect(await outcomeOf(verifier, kept.token)).toBe("accepted");

    // What only the export knows: the database is lost, and with it what else it could tell.
    const exported = place.path("revocations.jsonl");
    expect((await place.run(["revocations", "export", "--append", exported], LEASE)).code).toBe(0);
    await server.end("SIGKILL");
    const lost = place.path("lost");
    const restored = await place.run(
      ["restore", place.path("backup.db"), "--revocations", exported, "--json"],
      { ...LEASE, LATCHKEY_DATA: lost },
    );
    expect(restored.code).toBe(0);
    const said = JSON.parse(restored.stdout);
    expect(said.known).toBeGreaterThanOrEqual(10);
    expect(said.applied["api_key.revoked"]).toBeGreaterThan(0);
    expect(said.kept_aside).toBeNull();

    server = await startServer({ dataFolder: lost, port, env: LEASE });
    for (const { token } of revoked) {
      expect(await accepts(server.url, token)).toBe(false);
      expect(await outcomeOf(verifier, token)).not.toBe("accepted");
    }
    await waitFor("the verifier to be back", async () => {
      const back = await outcomeOf(verifier, kept.token);
      return back === "accepted" ? true : undefined;
    });
    // A verifier may be late with its lease, and then knows nothing for a moment.
    for (const { token } of revoked) {
      const verdict = await waitFor("a verdict", async () => {
        const outcome = await outcomeOf(verifier, token);
        return outcome === "unavailable" ? undefined : outcome;
      });
      expect(verdict).toBe("refused");
    }
    expect(await accepts(server.url, kept.token)).toBe(true);
    const first = place.first.environments[0]?.secret_key ?? "";
    expect(await accepts(server.url, first)).toBe(true);
  } finally {
    await verifier.close();
  }
}, 180_000);
