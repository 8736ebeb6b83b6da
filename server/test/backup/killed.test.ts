import { copyFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../child.ts";
import { startLatchkey, startServer } from "../real-server.ts";
import { accepts, keysOf, makePlace, type Place } from "./world.ts";

/** What a restore says when it has got so far; it is killed as soon as that is read, or some time later. */
const STEPS = [
  "The backup is whole.",
  "What was taken away since then",
  "has a name of its own",
  "is in its place",
] as const;

let place: Place;
let dead: string;
beforeAll(async () => {
  place = await makePlace();
  const server = await startServer({ dataFolder: place.dataFolder });
  const keys = keysOf(server.url, place.first);
  const key = await keys.issue();
  dead = key.token;
  await place.run(["backup", place.path("backup.db")]);
  await keys.revoke(key.id);
  await server.end();
  copyFileSync(join(place.dataFolder, "latchkey.db"), place.path("original.db"));
});
afterAll(() => place?.remove());

/** The database as it was before the restore, whatever earlier tests left. */
function putBack(): void {
  for (const name of readdirSync(place.dataFolder))
    if (name !== "secret") rmSync(join(place.dataFolder, name), { recursive: true });
  copyFileSync(place.path("original.db"), join(place.dataFolder, "latchkey.db"));
}

/** Which of the two is in place; anything else is half of one. */
function inPlace(): "old" | "new" {
  const database = new SqliteDatabase(join(place.dataFolder, "latchkey.db"));
  try {
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    const clock = Number(database.prepare("select seq from change_clock").pluck().get());
    const revoked = database
      .prepare("select count(*) from api_key where revoked_at is not null")
      .pluck()
      .get();
    expect(revoked).toBe(1); // in the old one and in the new one, and in nothing between
    return clock > 1_000_000_000 ? "new" : "old";
  } finally {
    database.close();
  }
}

async function killedAt(step: string, laterMs: number): Promise<"old" | "new"> {
  putBack();
  const child = startLatchkey(["restore", place.path("backup.db")], {
    LATCHKEY_DATA: place.dataFolder,
  });
  await waitFor(
    step,
    () => (child.stderr().includes(step) || child.hasEnded() ? true : undefined),
    { everyMs: 1 },
  );
  const until = performance.now() + laterMs;
  await waitFor("the moment", () => (performance.now() >= until ? true : undefined), {
    everyMs: 1,
  });
  await child.end("SIGKILL");
  return inPlace();
}

test("a restore that is killed leaves the old database or the new one, and can be repeated", async () => {
  const seen = new Set<string>();
  for (const step of STEPS)
    for (const laterMs of [0, 3, 12, 40]) {
      seen.add(await killedAt(step, laterMs));
      const again = await place.run(["restore", place.path("backup.db")]);
      expect([step, laterMs, again.code, again.stderr]).toEqual([
        step,
        laterMs,
        0,
        expect.stringContaining("is in its place"),
      ]);
      expect(inPlace()).toBe("new");
      expect(place.files()).not.toContain("restoring");
    }
  expect([...seen].sort()).toEqual(["new", "old"]);
  const server = await startServer({ dataFolder: place.dataFolder });
  try {
    expect(await accepts(server.url, dead)).toBe(false);
    expect(await accepts(server.url, place.first.environments[0]?.secret_key ?? "")).toBe(true);
  } finally {
    await server.end();
  }
}, 120_000);
