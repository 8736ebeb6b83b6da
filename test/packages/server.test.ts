import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@latchkey/sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Child, startChild, waitFor } from "../../server/test/child.ts";
import { OWNER } from "../../server/test/real-server.ts";
import { borrowDriver, driverVersion, emptyFolder, install, pack, run } from "./packed.ts";

/** What npx and the server are started with: no setting of whoever runs the tests, and any free port. */
const ENV = { PATH: process.env.PATH, HOME: process.env.HOME, PORT: "0" };

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let empty: string;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await emptyFolder();
  const { sdk, server } = await pack(folder.path);
  // Both at once: the server's own dependency is then the SDK beside it, not one of the registry.
  const driver = `better-sqlite3@${await driverVersion()}`;
  await install(folder.path, [sdk.tarball, server.tarball, driver]);
  await borrowDriver(folder.path);
  empty = join(folder.path, "empty");
  await mkdir(empty);
}, 180_000);
afterAll(async () => {
  for (const step of undo.reverse()) await step();
  await folder?.remove();
});

/** Starts a command of the installed package in the empty folder, and ends it, with all that it started, after the tests. */
function npx(...args: string[]): Child & { interrupt(): Promise<unknown> } {
  const child = startChild("npx", ["--no-install", ...args], {
    cwd: empty,
    env: ENV,
    detached: true,
  });
  const stop = (signal: NodeJS.Signals): void => {
    // As Ctrl-C does, to all of them: npx passes no signal on.
    if (!child.hasEnded()) process.kill(-child.pid, signal);
  };
  const atExit = (): void => stop("SIGKILL");
  process.once("exit", atExit);
  const interrupt = async (): Promise<unknown> => {
    stop("SIGINT");
    process.off("exit", atExit);
    return child.ended;
  };
  undo.push(interrupt);
  return { ...child, interrupt };
}

test("latchkey --help names every command", async () => {
  const help = npx("latchkey", "--help");
  expect((await help.ended).code).toBe(0);
  for (const name of ["serve", "setup", "accounts"]) expect(help.stdout()).toContain(name);
  expect(await readdir(empty)).toEqual([]);
}, 60_000);

test("npx @latchkey/server serves from an empty folder: dashboard, documentation, set-up and verification", async () => {
  const server = npx("@latchkey/server");
  const link = await waitFor(
    "the set-up link",
    () => /(http:\S+)\/setup#(\S+)/.exec(server.stdout()) ?? (server.hasEnded() ? "" : undefined),
    { withinMs: 30_000 },
  );
  if (link === "") throw new Error(server.stderr());
  const [, url = "", secret = ""] = link;
  expect(await readdir(empty)).toEqual(["data"]);

  for (const page of ["/", "/docs"]) expect(await assetsOf(url + page)).toBeGreaterThanOrEqual(2);

  const client = createClient({ url });
  const made = await client.setUp({ ...OWNER, setup_secret: secret, account: { name: "Acme" } });
  const [development] = made.environments;
  await writeFile(join(empty, "app.mjs"), APP);
  const tokens = [made.verifier_token ?? "", development?.secret_key ?? ""];
  const said = await run(process.execPath, ["app.mjs", url, ...tokens], empty);
  expect(JSON.parse(said)).toEqual({ account: "acme", environment: "development" });

  await server.interrupt();
  expect(server.stderr()).toContain('"stopped"');
  await expect(fetch(url)).rejects.toThrow("fetch failed");
}, 60_000);

/** An app that verifies a key with the installed SDK. */
const APP = `
import { connectVerifier } from "@latchkey/sdk";
const [url, token, key] = process.argv.slice(2);
const verifier = await connectVerifier({ url, token });
const { key: of } = await verifier.verify(key, { types: ["secret"] });
console.log(JSON.stringify({ account: of.account.slug, environment: of.environment.slug }));
await verifier.close();
`;

const TYPES: Readonly<Record<string, RegExp>> = {
  js: /^text\/javascript/,
  css: /^text\/css/,
  png: /^image\/png/,
};

/** Loads all that a page names, and asserts that it is there. Returns how much that was. */
async function assetsOf(page: string): Promise<number> {
  const answer = await fetch(page);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("Content-Type")).toMatch(/^text\/html/);
  const html = await answer.text();
  const paths = [...html.matchAll(/\s(?:src|href)="(\/[^"]+\.(\w+))"/g)];
  for (const [, path = "", ending = ""] of paths) {
    const asset = await fetch(new URL(path, page));
    expect([path, asset.status]).toEqual([path, 200]);
    expect(asset.headers.get("Content-Type")).toMatch(TYPES[ending] ?? /^image\//);
    expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(0);
  }
  return paths.length;
}
