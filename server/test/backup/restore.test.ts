import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectVerifier } from "@latchkey/sdk";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startChild, waitFor } from "../child.ts";
import { freePort, type RealServer, startServer } from "../real-server.ts";
import { outcomeOf } from "../verifiers/world.ts";
import { accepts, keysOf, makePlace, type Place } from "./world.ts";

const BINARY = fileURLToPath(new URL("../../bin/latchkey.js", import.meta.url));

const LEASE_MS = 2_000;
const LEASE = { LATCHKEY_LEASE_SECONDS: "2" };

let place: Place;
let server: RealServer | undefined;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  await server?.end("SIGKILL");
  server = undefined;
  await place?.remove();
});

async function serve(port = 0): Promise<RealServer> {
  server = await startServer({ dataFolder: place.dataFolder, port, env: LEASE });
  return server;
}

const ANY_TOKEN = /\b(?:sk|pk|st|vt|ot)_[0-9A-Za-z]{36}\b/;

test("without any export, the database that is replaced tells what was revoked since the backup", async () => {
  const port = await freePort();
  const { url } = await serve(port);
  const verifier = await connectVerifier({ url, token: place.first.verifier_token });
  try {
    const keys = keysOf(url, place.first);
    const [kept, before, after] = [await keys.issue(), await keys.issue(), await keys.issue()];
    await keys.revoke(before.id);
    const made = await place.run(["backup", place.path("backup.db")]);
    expect([made.code, made.stdout]).toEqual([0, ""]);
    expect(statSync(place.path("backup.db")).mode & 0o777).toBe(0o600);
    const revoked = await keys.revoke(after.id);
    const lost = await keys.issue();
    expect(await outcomeOf(verifier, kept.token)).toBe("accepted");
    await server?.end("SIGKILL");

    const restored = await place.run(["restore", place.path("backup.db")]);
    expect(restored.code).toBe(0);
    expect(restored.stdout).toContain("api_key.revoked: 1 done again");
    expect(restored.stdout + restored.stderr).not.toMatch(ANY_TOKEN);
    await serve(port);
    expect(await accepts(url, kept.token)).toBe(true);
    for (const { token } of [before, after, lost]) expect(await accepts(url, token)).toBe(false);
    for (const { token } of [before, after, lost])
      expect(await outcomeOf(verifier, token)).not.toBe("accepted");
    const told = await keys.get(after.id);
    expect(told).toMatchObject({
      revoked_at: revoked.revoked_at,
      revoked_by: revoked.revoked_by,
      revocation: revoked.revocation,
    });

    // The killed server may have left leases behind: the first revocation waits for them, and then no more.
    await waitFor("the verifier to be back", async () =>
      (await outcomeOf(verifier, kept.token)) === "accepted" ? true : undefined,
    );
    const first = await keys.revoke(kept.id);
    expect(first.revocation?.state).toBe("effective");
    expect(first.revocation?.lapsed ?? 0).toBeLessThanOrEqual(2);
    expect(await outcomeOf(verifier, kept.token)).toBe("refused");
  } finally {
    await verifier.close();
  }
}, 60_000);

test("an app that is cut off goes on with its lease, and a revocation after the restore waits for that", async () => {
  const { url } = await serve();
  const keys = keysOf(url, place.first);
  const key = await keys.issue();
  const verifier = await connectVerifier({ url, token: place.first.verifier_token });
  try {
    await place.run(["backup", place.path("backup.db")]);
    expect(await outcomeOf(verifier, key.token)).toBe("accepted");
    await server?.end("SIGKILL");
    expect((await place.run(["restore", place.path("backup.db")])).code).toBe(0);
    // On another port, where the app does not find it.
    const next = keysOf((await serve()).url, place.first);
    const { revocation } = await next.revoke(key.id);
    expect(revocation?.lapsed).toBeGreaterThan(0);
    expect(revocation?.took_ms).toBeLessThan(2 * LEASE_MS);
    expect(await outcomeOf(verifier, key.token)).toBe("unavailable");
  } finally {
    await verifier.close();
  }
}, 60_000);

test("a second restore is harmless, and the replaced databases are kept", async () => {
  const { url } = await serve();
  const keys = keysOf(url, place.first);
  const key = await keys.issue();
  await place.run(["backup", place.path("backup.db")]);
  await keys.revoke(key.id);
  await server?.end();
  for (let time = 0; time < 2; time++)
    expect((await place.run(["restore", place.path("backup.db")])).code).toBe(0);
  const again = await serve();
  expect(await accepts(again.url, key.token)).toBe(false);
  const kept = place.files().filter((name) => name.startsWith("latchkey-before-restore-"));
  expect(kept).toHaveLength(2);
  expect(place.files()).not.toContain("restoring");
});

test("a restore of an older backup by mistake, and then of the newer one, revives nothing", async () => {
  const { url } = await serve();
  const keys = keysOf(url, place.first);
  const [monday, tuesday] = [place.path("monday.db"), place.path("tuesday.db")];
  const exported = place.path("revocations.jsonl");
  await place.run(["backup", monday]);
  const key = await keys.issue();
  await place.run(["backup", tuesday]);
  await keys.revoke(key.id);
  await place.run(["revocations", "export", "--append", exported]);
  await server?.end();
  // Monday knows nothing of the key, and so nothing of its revocation.
  const mistake = await place.run(["restore", monday]);
  expect([mistake.code, mistake.stdout]).toEqual([0, expect.stringContaining(key.id)]);

  const before = stateOf(place);
  const refused = await place.run(["restore", tuesday]);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("has not all that the backup has");
  expect(refused.stderr).toContain("--without-revocations");
  expect(stateOf(place)).toBe(before);
  expect((await place.run(["restore", tuesday, "--revocations", exported])).code).toBe(0);
  const again = await serve();
  expect(await accepts(again.url, key.token)).toBe(false);
  expect(await accepts(again.url, place.first.environments[0]?.secret_key ?? "")).toBe(true);
}, 60_000);

test("a backup is never overwritten, unless asked to, and nothing is left beside it", async () => {
  writeFileSync(place.path("backup.db"), "mine");
  const refused = await place.run(["backup", place.path("backup.db")]);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("--force");
  expect(readFileSync(place.path("backup.db"), "utf8")).toBe("mine");
  expect((await place.run(["backup", place.path("backup.db"), "--force"])).code).toBe(0);
  const copy = new SqliteDatabase(place.path("backup.db"), { readonly: true });
  expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
  copy.close();
  const elsewhere = await place.run(["backup", place.path("no-folder/backup.db")]);
  expect(elsewhere.code).toBe(1);
  expect(elsewhere.stderr).not.toMatch(/^ +at /m);
});

test("a disk that is full leaves no half of a backup", async () => {
  const target = place.path("backup.db");
  // No file may grow past 64 KiB: SQLite is told the same as by a full disk.
  const shell = `ulimit -f 64; exec "${process.execPath}" "${BINARY}" backup "${target}"`;
  const child = startChild("bash", ["-c", shell], {
    env: { PATH: process.env.PATH, LATCHKEY_DATA: place.dataFolder },
  });
  expect((await child.ended).code).toBe(1);
  expect(child.stderr()).toContain("could not be made");
  expect(readdirSync(place.path(".")).sort()).toEqual(["data"]);
});

test("PostgreSQL is backed up by its own means", async () => {
  const env = {
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    LATCHKEY_SECRET: "s".repeat(32),
  };
  const backup = await place.run(["backup", place.path("backup.db")], env);
  expect([backup.code, backup.stdout]).toEqual([1, ""]);
  expect(backup.stderr).toContain("pg_dump");
  const restore = await place.run(["restore", place.path("backup.db")], env);
  expect(restore.code).toBe(1);
  expect(restore.stderr).toContain("pg_restore");
  const untold = await place.run(["restore"], env);
  expect(untold.stderr).toContain("--without-revocations");
});

/** What a restore must leave as it is. */
function stateOf(place: Place): string {
  const database = new SqliteDatabase(join(place.dataFolder, "latchkey.db"), { readonly: true });
  const rows = database.prepare(
    "select seq from change_clock union all select count(*) from api_key",
  );
  const state = JSON.stringify(rows.all());
  database.close();
  return state;
}

test("what is no backup, or a damaged or newer one, is refused, and nothing changes", async () => {
  const good = place.path("good.db");
  await place.run(["backup", good]);
  const refused = async (name: string, said: RegExp, prepare: (path: string) => void) => {
    const before = stateOf(place);
    const path = place.path(name);
    prepare(path);
    const { code, stdout, stderr } = await place.run(["restore", path, "--without-revocations"]);
    expect([name, code, stdout]).toEqual([name, 1, ""]);
    expect(stderr).toMatch(said);
    expect(stderr).toContain("Nothing was restored.");
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stateOf(place)).toBe(before);
    expect(place.files()).not.toContain("restoring");
  };
  await refused("nothing", /ENOENT|no such file/, () => {});
  await refused("text", /is no SQLite database/, (path) => writeFileSync(path, "hello"));
  await refused("empty", /is no SQLite database/, (path) => writeFileSync(path, ""));
  await refused("other.db", /is no database of Latchkey/, (path) => {
    const other = new SqliteDatabase(path);
    other.exec("create table t (a)");
    other.close();
  });
  await refused("damaged.db", /is damaged/, (path) => {
    const bytes = readFileSync(good);
    bytes.fill(0xff, 8_192, 24_576);
    writeFileSync(path, bytes);
  });
  await refused("short.db", /is damaged|is no database/, (path) =>
    writeFileSync(path, readFileSync(good).subarray(0, 10_000)),
  );
  await refused("newer.db", /newer latchkey/, (path) => {
    copyFileSync(good, path);
    const newer = new SqliteDatabase(path);
    newer.exec("insert into kysely_migration values ('9999-future', '2030')");
    newer.close();
  });
  await refused("live.db", /-wal beside it/, (path) => {
    copyFileSync(good, path);
    writeFileSync(`${path}-wal`, "");
  });
});

test("a line that is none of an export's is named by its number, and nothing is restored", async () => {
  const { url } = await serve();
  const keys = keysOf(url, place.first);
  const key = await keys.issue();
  const backup = place.path("backup.db");
  await place.run(["backup", backup]);
  await keys.revoke(key.id);
  await server?.end();
  const good = (await place.run(["revocations", "export"])).stdout;
  expect(good.trim().split("\n")).toHaveLength(1);
  const before = stateOf(place);
  const hostile = [
    ["garbage", `${good}garbage\n`, 2],
    ["cut short", good.slice(0, -10), 1],
    ["other JSON", `{"seq":1}\n`, 1],
    ["an unknown field", good.replace("{", '{"a":1,'), 1],
    ["an unknown deed", good.replace("api_key.revoked", "api_key.revived"), 1],
    ["no time", good.replace(/"at":"[^"]*"/, '"at":"today"'), 1],
    ["an end before its cause", good.replace(/("effective":\{"at":")\d{4}/, "$12001"), 1],
    ["one endless line", "x".repeat(1_000_000), 1],
    ["bytes", "\u0000\u0001\n", 1],
  ] as const;
  for (const [name, text, line] of hostile) {
    const path = place.path("hostile.jsonl");
    writeFileSync(path, text);
    const refused = await place.run(["restore", backup, "--revocations", path]);
    expect([name, refused.code, refused.stdout]).toEqual([name, 1, ""]);
    expect(refused.stderr).toContain(`Line ${line} of ${path} `);
    expect(stateOf(place)).toBe(before);
  }
}, 60_000);

test("an id of an export that would steer the terminal is printed harmlessly", async () => {
  const backup = place.path("backup.db");
  await place.run(["backup", backup]);
  const path = place.path("hostile.jsonl");
  const [at, id] = ["2026-01-01T00:00:00Z", "key_\u001b[2J\u009b\u202e\n  0 were done"];
  const common = { seq: 9, by: null, reason: null, expires_at: null, max_age_days: null };
  const line = { ...common, at, deed: "api_key.revoked", id, effective: null };
  writeFileSync(path, `${JSON.stringify(line)}\n`);
  const restored = await place.run(["restore", backup, "--revocations", path]);
  expect(restored.code).toBe(0);
  expect(restored.stdout).toContain("does not have: key_?[2J???  0 were done\n");
  expect(restored.stdout + restored.stderr).not.toMatch(/[^\P{C}\n]/u);
});

test("an export goes on where its file ends, and repairs a line that was cut short", async () => {
  const { url } = await serve();
  const keys = keysOf(url, place.first);
  const path = place.path("revocations.jsonl");
  const append = () => place.run(["revocations", "export", "--append", path]);
  const lines = () => readFileSync(path, "utf8").split("\n");
  await keys.revoke((await keys.issue()).id);
  expect((await append()).stderr).toContain("1 lines");
  expect((await append()).stderr).toContain("0 lines");
  appendFileSync(path, '{"seq":99,"at":"2026');
  await keys.revoke((await keys.issue()).id);
  expect((await append()).stderr).toContain("1 lines");
  expect(
    lines()
      .slice(0, -1)
      .map((line) => JSON.parse(line).seq),
  ).toEqual([1, 2]);
  writeFileSync(path, "something else\n");
  const refused = await append();
  expect(refused.code).toBe(1);
  expect(readFileSync(path, "utf8")).toBe("something else\n");
  const after = await place.run(["revocations", "export", "--after", "1"]);
  expect(
    after.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).seq),
  ).toEqual([2]);
  expect((await place.run(["revocations", "export", "--after", "x"])).code).toBe(2);
});

test("where nothing tells what was revoked, a restore asks for it; a running server keeps it out", async () => {
  const backup = place.path("backup.db");
  const running = await serve();
  await place.run(["backup", backup]);
  const beside = await place.run(["restore", backup]);
  expect([beside.code, beside.stdout]).toEqual([1, ""]);
  expect(beside.stderr).toContain("Another latchkey is running");
  expect(await accepts(running.url, place.first.environments[0]?.secret_key ?? "")).toBe(true);
  await running.end();

  const elsewhere = { LATCHKEY_DATA: place.path("elsewhere") };
  const asked = await place.run(["restore", backup], elsewhere);
  expect(asked.code).toBe(1);
  expect(asked.stderr).toContain("--without-revocations");
  const told = await place.run(["restore", backup, "--without-revocations"], elsewhere);
  expect(told.code).toBe(0);
  expect(told.stdout).toContain("up to 60 s");

  // A database that is another one, as a server makes on an empty folder, tells nothing either.
  const fresh = await makePlace();
  try {
    const refused = await place.run(["restore", backup], { LATCHKEY_DATA: fresh.dataFolder });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("is another one");
  } finally {
    await fresh.remove();
  }
});

test("a damaged database is kept aside as it is, and tells nothing", async () => {
  const backup = place.path("backup.db");
  await place.run(["backup", backup]);
  const path = join(place.dataFolder, "latchkey.db");
  const bytes = readFileSync(path);
  bytes.fill(0xff, 8_192, 24_576);
  writeFileSync(path, bytes);
  expect((await place.run(["restore", backup])).stderr).toContain("cannot be read");
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect((await place.run(["restore", backup, "--without-revocations"])).code).toBe(0);
  const aside = place.files().find((name) => name.startsWith("latchkey-before-restore-")) ?? "";
  expect(readFileSync(join(place.dataFolder, aside)).equals(bytes)).toBe(true);
  expect(stateOf(place)).toContain("1000000000");
});
