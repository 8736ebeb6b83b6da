import { afterEach, expect, test } from "vitest";
import {
  freePort,
  type RealServer,
  setUp,
  startLatchkey,
  startServer,
  temporaryFolder,
} from "./real-server.ts";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function serve(dataFolder: string, port = 0): Promise<RealServer> {
  const server = await startServer({ dataFolder, port });
  undo.push(() => server.end("SIGKILL"));
  return server;
}

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  undo.push(remove);
  return path;
}

test("a server set up without a browser verifies its first keys, ends cleanly on SIGTERM and comes back", async () => {
  const dataFolder = await folder();
  const first = await setUp({ dataFolder });
  const headers = { authorization: `Bearer ${first.environments[0]?.secret_key}` };

  const port = await freePort();
  const before = await serve(dataFolder, port);
  expect(before.port).toBe(port);
  expect((await fetch(`${before.url}/v1/authenticate`, { headers })).status).toBe(200);
  expect(await before.end()).toEqual({ code: 0, signal: null });

  const after = await serve(dataFolder, port);
  expect((await fetch(`${after.url}/v1/authenticate`, { headers })).status).toBe(200);
});

test("a server that was killed gives its data folder to the next one", async () => {
  const dataFolder = await folder();
  const first = await serve(dataFolder);
  expect(await first.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
  const second = await serve(dataFolder);
  expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
});

test("a second server on the same data folder is kept out and says why", async () => {
  const dataFolder = await folder();
  await serve(dataFolder);
  await expect(startServer({ dataFolder })).rejects.toThrow(/Another latchkey is running/);
  const setup = startLatchkey(
    ["setup", "--email", "a@example.com", "--name", "A", "--account", "A", "--password-stdin"],
    { LATCHKEY_DATA: dataFolder },
    "a password of some length\n",
  );
  expect((await setup.ended).code).toBe(1);
});
