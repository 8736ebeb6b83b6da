import { Agent, get } from "node:http";
import { afterEach, expect, test } from "vitest";
import { FRONT_BOUNDS } from "../src/http/front.ts";
import { waitFor } from "./child.ts";
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

test("a client that is never idle learns to go elsewhere, and does not hold a stop up", async () => {
  const dataFolder = await folder();
  const first = await setUp({ dataFolder });
  const headers = { authorization: `Bearer ${first.environments[0]?.secret_key}` };
  const server = await serve(dataFolder);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const ask = (): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      get(`${server.url}/v1/authenticate`, { agent, headers }, (answer) => {
        answer.resume().on("end", () => resolve(answer.headers.connection));
      }).on("error", reject);
    });
  const connections: (string | undefined)[] = [];
  const hammer = async (): Promise<void> => {
    for (;;) connections.push(await ask());
  };
  const hammers = Array.from({ length: 4 }, () => hammer().catch(() => "refused"));
  await waitFor("answers", () => (connections.length > 100 ? true : undefined));
  const beganMs = performance.now();
  expect(await server.end()).toEqual({ code: 0, signal: null });
  // Not so long as a stop waits for requests that do not end.
  expect(performance.now() - beganMs).toBeLessThan(FRONT_BOUNDS.drainMs);
  expect(await Promise.all(hammers)).toEqual(["refused", "refused", "refused", "refused"]);
  agent.destroy();
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
