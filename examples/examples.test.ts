import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ConnectedVerifier } from "@latchkey/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Child, startChild, waitFor } from "../server/test/child.ts";
import {
  type FirstAccount,
  freePort,
  type RealServer,
  setUp,
  startServer,
  temporaryFolder,
} from "../server/test/real-server.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let first: FirstAccount;
let server: RealServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  first = await setUp({ dataFolder: folder.path });
  server = await startServer({ dataFolder: folder.path });
});

afterAll(async () => {
  await server.end();
  await folder.remove();
});

test("an example is under 40 lines", () => {
  const programs = readdirSync(FOLDER).filter((name) => /(?<!\.test)\.(mjs|ts)$/.test(name));
  expect(programs).toHaveLength(7);
  for (const name of programs)
    expect(readFileSync(`${FOLDER}${name}`, "utf8").split("\n").length - 1, name).toBeLessThan(40);
});

describe.each(["hono", "express", "fastify", "node-http"])("examples/%s.mjs", (name) => {
  let example: Child;
  let notes: string;

  beforeAll(async () => {
    example = startExample(name);
    notes = `${await addressOf(example)}/notes`;
  });
  afterAll(() => example.end("SIGKILL"));

  test("takes secret keys, and says whose they are", async () => {
    expect((await fetch(notes.replace("/notes", "/health"))).status).toBe(200);
    const nobody = await fetch(notes);
    expect(nobody.status).toBe(401);
    expect(await nobody.json()).toMatchObject({ code: "authentication_required" });
    expect((await fetch(notes, bearer(keysOf("production").public_key))).status).toBe(403);
    for (const slug of ["development", "production"]) {
      const mine = await fetch(notes, bearer(keysOf(slug).secret_key));
      expect(await mine.json()).toEqual({ environment: slug, notes: [] });
    }
  });

  // Reading bodies within bounds is what a framework is for: the example without one takes no notes.
  test.skipIf(name === "node-http")("keeps the notes of each environment apart", async () => {
    const production = bearer(keysOf("production").secret_key);
    const body = { method: "POST", body: "not for you" };
    const { headers } = production;
    const posted = await fetch(notes, {
      ...body,
      headers: { ...headers, "Content-Type": "text/plain" },
    });
    expect(posted.status).toBe(201);
    expect(await (await fetch(notes, production)).json()).toMatchObject({ notes: ["not for you"] });
    const other = await fetch(notes, bearer(keysOf("development").secret_key));
    expect(await other.json()).toMatchObject({ notes: [] });
    expect((await fetch(notes, body)).status).toBe(401);
  });

  test("refuses a key as soon as the call that revoked it has returned", async () => {
    const { id, api_key } = await issue();
    expect((await fetch(notes, bearer(api_key))).status).toBe(200);
    await revoke(id);
    const refused = await fetch(notes, bearer(api_key));
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ code: "api_key_missing" });
  });

  test("ends when asked to, and then delays no revocation", async () => {
    expect(await example.end("SIGTERM")).toEqual({ code: 0, signal: null });
    const { id } = await issue();
    expect(await revoke(id)).toMatchObject({ state: "effective", lapsed: 0 });
  });
});

describe("examples/websocket.mjs", () => {
  let example: Child;
  let url: string;

  beforeAll(async () => {
    example = startExample("websocket");
    url = await addressOf(example);
  });
  afterAll(() => example.end("SIGKILL"));

  test("refuses a client without a key", async () => {
    const client = new WebSocket(url);
    const error = await new Promise<Error>((resolve) => client.once("error", resolve));
    expect(error.message).toContain("401");
  });

  test("drops a client whose key is revoked, and only that one", async () => {
    const [revoked, kept] = [await issue(), await issue()];
    const dropped = openClient(url, revoked.api_key);
    const stays = openClient(url, kept.api_key);
    expect(await dropped.say("hello")).toBe("production heard: hello");
    expect(await stays.say("hello")).toBe("production heard: hello");
    await revoke(revoked.id);
    expect(await dropped.closed).toEqual({ code: 1008, reason: "The API key was revoked." });
    expect(await stays.say("still there?")).toBe("production heard: still there?");
    stays.client.close();
    await stays.closed;
  });

  test("ends when asked to, and then delays no revocation", async () => {
    expect(await example.end("SIGTERM")).toEqual({ code: 0, signal: null });
    const { id } = await issue();
    expect(await revoke(id)).toMatchObject({ state: "effective", lapsed: 0 });
  });
});

describe("examples/next-route.ts", () => {
  const kept = globalThis as { latchkey?: Promise<ConnectedVerifier> };
  afterAll(async () => (await kept.latchkey)?.close());

  test("answers 503 while there is no server, and connects when there is one", async () => {
    process.env.LATCHKEY_VERIFIER_TOKEN = first.verifier_token;
    process.env.LATCHKEY_URL = `http://127.0.0.1:${await freePort()}`;
    const { GET } = await import("./next-route.ts");
    const ask = async (token: string) => {
      const request = new Request("http://127.0.0.1/notes/7", bearer(token));
      return GET(request, { params: Promise.resolve({ id: "7" }) });
    };
    const { secret_key } = keysOf("production");
    expect((await ask(secret_key)).status).toBe(503);
    process.env.LATCHKEY_URL = server.url;
    const answer = await ask(secret_key);
    expect(await answer.json()).toEqual({ id: "7", account: "acme", environment: "production" });
    const { id, api_key } = await issue();
    expect((await ask(api_key)).status).toBe(200);
    await revoke(id);
    expect((await ask(api_key)).status).toBe(401);
  });
});

function startExample(name: string): Child {
  return startChild(process.execPath, [`${FOLDER}${name}.mjs`], {
    env: {
      PATH: process.env.PATH,
      PORT: "0",
      LATCHKEY_URL: server.url,
      LATCHKEY_VERIFIER_TOKEN: first.verifier_token,
    },
  });
}

function addressOf(example: Child): Promise<string> {
  return waitFor("the example to listen", async () => {
    if (example.hasEnded()) throw new Error(`the example ended:\n${example.stderr()}`);
    return / on ((?:http|ws):\S+)/.exec(example.stdout())?.[1];
  });
}

function keysOf(slug: string): { public_key: string; secret_key: string } {
  const environment = first.environments.find((each) => each.slug === slug);
  if (environment === undefined) throw new Error(`no environment ${slug}`);
  return environment;
}

function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { Authorization: `Bearer ${token}` } };
}

/** Calls the management API with the account's service token. */
async function manage(path: string, body: object) {
  const response = await fetch(new URL(path, server.url), {
    method: "POST",
    headers: {
      Authorization: `Bearer ${first.service_token}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** A new secret key of `production`. */
function issue(): Promise<{ id: string; api_key: string }> {
  return manage("/v1/api_keys?environment=production", { type: "secret" });
}

/** Revokes a key. @returns Its receipt. */
async function revoke(id: string): Promise<{ state: string; lapsed: number }> {
  return (await manage(`/v1/api_keys/${id}/revoke`, {})).revocation;
}

function openClient(url: string, token: string) {
  const client = new WebSocket(url, bearer(token));
  const opened = new Promise((resolve) => client.once("open", resolve));
  return {
    client,
    closed: new Promise((resolve) =>
      client.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    ),
    /** @returns What comes back. */
    async say(text: string): Promise<string> {
      await opened;
      const heard = new Promise<string>((resolve) =>
        client.once("message", (data) => resolve(data.toString())),
      );
      client.send(text);
      return heard;
    },
  };
}
