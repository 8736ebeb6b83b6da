import { Agent } from "node:http";
import { join } from "node:path";
import { type Client, createClient } from "@latchkey/sdk/client";
import { parseToken } from "@latchkey/sdk/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "./child.ts";
import { type Answer, ask, askRaw, findProxy, type RunningProxy, startProxy } from "./proxies.ts";
import {
  bearer,
  expectFlat,
  fieldsOf,
  type Keys,
  KINDS,
  keysOf,
  needProxy,
  openProxyStage,
  type ProxyStage,
  tokens,
  UNKNOWN,
} from "./proxies-stage.ts";
import { type FirstAccount, type RealServer, setUp, startServer } from "./real-server.ts";

const IDENTITY = ["Account", "Account-Id", "Environment", "Environment-Id", "Key-Id", "Key-Type"];

/** A server that was killed delays the next revocation by its lease: keep that short. */
const ENV = { LATCHKEY_LEASE_SECONDS: "2" };

let stage: ProxyStage;
let folder: ProxyStage["folder"];
let notesApi: ProxyStage["notesApi"];
let tap: ProxyStage["tap"];
let server: RealServer;
let acme: FirstAccount;
let client: Client;
let keys: Keys;

beforeAll(async () => {
  stage = await openProxyStage();
  ({ folder, notesApi, tap } = stage);
  const dataFolder = join(folder.path, "data");
  acme = await setUp({ dataFolder });
  server = await startServer({ dataFolder, env: ENV });
  client = createClient({ url: server.url, token: acme.service_token });
  keys = await keysOf(acme, server.url);
  for (const token of [...Object.values(keys), acme.service_token, UNKNOWN]) tokens.add(token);
});

afterAll(async () => {
  await server?.end();
  await stage?.close();
});

/** The body that the server itself gives, with the request id of `answer` in place of its own. */
async function bodyOfLatchkey(query: string, headers: string[], answer: Answer): Promise<string> {
  const direct = await ask(`${server.url}/v1/authenticate?${query}`, { headers });
  const requestId = JSON.parse(direct.body).request_id;
  return direct.body.replace(requestId, String(answer.headers["x-request-id"]));
}

describe.each(KINDS)("%s", (kind) => {
  let proxy: RunningProxy;

  beforeAll(async () => {
    if (findProxy(kind) === undefined) return;
    const ports = { latchkey: server.port, api: tap.port };
    proxy = await startProxy(kind, ports, join(folder.path, kind));
  });

  beforeEach((context) => {
    needProxy(kind, context);
    tap.take();
  });

  afterAll(async () => {
    await proxy?.end();
  });

  const notes = (headers: string[], path = "/notes"): Promise<Answer> =>
    ask(`${proxy.url}${path}`, { headers });
  const write = (token: string, body: object): Promise<Answer> =>
    ask(`${proxy.url}/notes`, {
      method: "POST",
      headers: [...bearer(token), "Content-Type", "application/json"],
      body: JSON.stringify(body),
    });
  const textsOf = ({ body }: Answer): string[] =>
    JSON.parse(body).notes.map((note: { text: string }) => note.text);
  /** Texts of this proxy's tests, apart from those of the other's. */
  const own = (texts: string[]): string[] => texts.filter((text) => text.startsWith(kind));

  test("a valid key reads and writes the notes of its environment, and sees no other's", async () => {
    for (const name of ["development", "production", "globex"] as const) {
      const written = await write(keys[name], {
        text: `${kind} ${name}`,
        public: name !== "globex",
      });
      expect({ status: written.status, ...JSON.parse(written.body) }).toMatchObject({
        status: 201,
      });
    }
    for (const name of ["development", "production", "globex"] as const) {
      const read = await notes(bearer(keys[name]));
      expect(read.status).toBe(200);
      expect(own(textsOf(read))).toEqual([`${kind} ${name}`]);
    }
    const shown = await notes(bearer(keys.public), "/public/notes?page=1");
    expect(own(textsOf(shown))).toEqual([`${kind} development`]);
    const production = await notes(bearer(keys.production), "/production/notes");
    expect(own(textsOf(production))).toEqual([`${kind} production`]);
    expect(
      (await ask(`${proxy.url}/notes`, { method: "HEAD", headers: bearer(keys.globex) })).status,
    ).toBe(404); // the API's own answer: it has no HEAD
  });

  test("a refusal has the body of Latchkey byte for byte, its headers, and never reaches the API", async () => {
    const expiring = await client.apiKeys.create("development", {
      type: "secret",
      expires_at: new Date(Date.now() + 1_500).toISOString(),
    });
    const expired = expiring.api_key ?? "";
    await waitFor("the key to expire", async () =>
      (await ask(`${server.url}/v1/authenticate`, { headers: bearer(expired) })).status === 401
        ? true
        : undefined,
    );
    expect(parseToken(UNKNOWN)).not.toBeNull();
    expect(parseToken(`${UNKNOWN.slice(0, -6)}000000`)).toBeNull();
    const cases: [string, string[], number, string, string?][] = [
      ["no header", [], 401, "authentication_required"],
      ["empty header", ["Authorization", ""], 401, "authentication_required"],
      ["wrong scheme", ["Authorization", "Basic c2s6"], 401, "authentication_required"],
      ["no scheme", ["Authorization", keys.development], 401, "authentication_required"],
      ["another header", ["X-Api-Key", keys.development], 401, "authentication_required"],
      ["malformed", bearer("sk_not-a-token"), 401, "api_key_missing"],
      ["wrong checksum", bearer(`${UNKNOWN.slice(0, -6)}000000`), 401, "api_key_missing"],
      ["unknown", bearer(UNKNOWN), 401, "api_key_missing"],
      ["expired", bearer(expired), 401, "api_key_expired"],
      ["service token", bearer(acme.service_token), 401, "incorrect_token_type"],
      ["verifier token", bearer(acme.verifier_token), 401, "incorrect_token_type"],
      ["public key", bearer(keys.public), 403, "incorrect_token_type"],
      ["other environment", bearer(keys.development), 403, "environment_mismatch", "production"],
    ];
    for (const [what, headers, status, code, environment] of cases) {
      const path = environment === undefined ? "/notes" : `/${environment}/notes`;
      const query = environment === undefined ? "type=secret" : `environment=${environment}`;
      const answer = await notes(headers, path);
      expectFlat(answer, status, code);
      expect(answer.headers["x-request-id"], what).toMatch(/^req_[0-9A-Za-z]{24}$/);
      expect(answer.body, what).toBe(await bodyOfLatchkey(query, headers, answer));
      expect(answer.headers["cache-control"], what).toBe("no-store");
    }
    const head = await ask(`${proxy.url}/notes`, { method: "HEAD" });
    expect([head.status, head.body, head.headers["www-authenticate"]]).toEqual([401, "", "Bearer"]);
    expect(
      (await ask(`${proxy.url}/notes`, { method: "POST", body: "x".repeat(900_000) })).status,
    ).toBe(401);
    expect(tap.take()).toBe("");
  });

  test("the very next request after a revocation is refused, on a warm connection too", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 5; round += 1) {
      const { id, api_key = "" } = await client.apiKeys.create("development", { type: "secret" });
      const read = (): Promise<Answer> =>
        ask(`${proxy.url}/notes`, { headers: bearer(api_key), agent });
      for (let warm = 0; warm < 5; warm += 1) expect((await read()).status).toBe(200);
      tap.take();
      await client.apiKeys.revoke(id);
      expectFlat(await read(), 401, "api_key_missing");
      expect(tap.take()).toBe("");
    }
    agent.destroy();
  });

  test("the API is told who calls by the verdict alone, in whatever spelling the caller lies", async () => {
    const spellings = (name: string): string[] => [
      `X-Latchkey-${name}`,
      `x-latchkey-${name.toLowerCase()}`,
      `X-LATCHKEY-${name.toUpperCase()}`,
      `X_Latchkey_${name.replaceAll("-", "_")}`,
      `X-Latchkey_${name.replaceAll("-", "_")}`,
      `X_LATCHKEY-${name.toUpperCase()}`,
    ];
    const lies = IDENTITY.flatMap(spellings).flatMap((name) => [name, "forged", name, "forged"]);
    const id = ["X-Request-Id", "forged", "x-request-id", "forged"];
    const direct = await ask(`${server.url}/v1/authenticate`, { headers: bearer(keys.production) });
    tap.take();
    const read = await notes([...lies, ...id, ...bearer(keys.production), ...lies]);
    const sent = tap.take();
    expect(own(textsOf(read))).toEqual([`${kind} production`]);
    expect(sent).not.toContain("forged");
    const fields = fieldsOf(sent);
    for (const name of IDENTITY.map((each) => `x-latchkey-${each.toLowerCase()}`))
      expect(fields.filter((field) => field[0] === name)).toEqual([[name, direct.headers[name]]]);
    expect(fields.filter(([name]) => /latchkey/.test(name))).toHaveLength(IDENTITY.length);
    const requestIds = fields.filter(([name]) => name === "x-request-id");
    expect(requestIds).toEqual([["x-request-id", expect.stringMatching(/^req_[0-9A-Za-z]{24}$/)]]);
    expect(sent).not.toMatch(/authorization/i);
    expect(sent).not.toContain(keys.production);
  });

  test("a caller cannot take identity away by naming its headers in Connection", async () => {
    for (const names of [
      IDENTITY.map((name) => `X-Latchkey-${name}`),
      ["X-Request-Id"],
      ["Authorization"],
    ]) {
      tap.take();
      const { status } = await askRaw(
        proxy.port,
        `GET /notes HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\n${bearer(keys.production).join(": ")}\r\n` +
          `Connection: close, ${names.join(", ")}\r\n\r\n`,
      );
      expect([names[0], status]).toEqual([names[0], 200]);
      const sent = fieldsOf(tap.take()).map(([name]) => name);
      for (const name of [
        ...IDENTITY.map((each) => `x-latchkey-${each.toLowerCase()}`),
        "x-request-id",
      ])
        expect(sent).toContain(name);
    }
  });

  test("a path means the same to the proxy and to the API: a public key reads nothing but public notes", async () => {
    await write(keys.development, { text: `${kind} private` });
    const [, authorization = ""] = bearer(keys.public);
    tap.take();
    for (const path of [
      "/notes/../public/notes",
      "/notes/..%2fpublic/notes",
      "/public/../notes",
      "/public/..%2fnotes",
      "/public/%2e%2e/notes",
      "/public/notes/../../notes",
      "/public/notes/..%2f..%2fnotes",
      "//notes",
      "/notes?/public/notes",
      "/notes%3f/../public/notes",
      "/notes%23/../public/notes",
      "/notes;/../public/notes",
      "/PUBLIC/notes/../../notes",
      "/public/notes%00",
    ]) {
      const { status, text } = await askRaw(
        proxy.port,
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`,
      );
      expect([path, text.includes(`${kind} private`)]).toEqual([path, false]);
      expect([200, 400, 403, 404]).toContain(status);
      for (const request of tap.take().matchAll(/^\S+ (\S+) HTTP/gm))
        expect([path, request[1]?.split("?")[0]]).toEqual([path, "/public/notes"]);
    }
    const posted = await ask(`${proxy.url}/public/notes`, {
      method: "POST",
      headers: bearer(keys.public),
      body: "{}",
    });
    expectFlat(posted, 403, "incorrect_token_type");
  });

  test("the question to Latchkey cannot be asked from outside", async () => {
    for (const path of [
      "/_latchkey",
      "/_latchkey?type=any",
      "/v1/authenticate?type=any",
      "/v1/api_keys",
    ]) {
      for (const token of [keys.public, keys.development]) {
        const { status, headers } = await notes(bearer(token), path);
        // With a secret key the request goes to the API like any other, which has nothing there.
        expect([path, [403, 404].includes(status) || status]).toEqual([path, true]);
        if (token === keys.development) expect([path, status]).toEqual([path, 404]);
        else expect(tap.take()).toBe("");
        expect(Object.keys(headers).filter((name) => name.startsWith("x-latchkey-acc"))).toEqual(
          [],
        );
        tap.take();
      }
    }
  });

  test("two Authorization headers are refused, in any order and case", async () => {
    const good = `Bearer ${keys.development}`;
    for (const [first, second] of [
      [good, good],
      [good, `Bearer ${UNKNOWN}`],
      [`Bearer ${UNKNOWN}`, good],
      ["Basic c2s6", good],
      ["", good],
      [good, ""],
    ] as const) {
      const { status } = await notes(["Authorization", first, "authorization", second]);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    expect(tap.take()).toBe("");
  });

  test("hostile Authorization values are refused as the caller's mistake, never accepted, never an outage", async () => {
    const good = `Bearer ${keys.development}`;
    const values = [
      `Bearer ${"A".repeat(7_000)}`,
      `Bearer ${"A".repeat(8_192)}`,
      `Bearer ${"A".repeat(60_000)}`,
      `Bearer sk_${"\xe9".repeat(36)}`,
      `Bearer ${"\xff\xfe".repeat(40)}`,
      `${good}\x01`,
      `\x01${good}`,
      `Bearer\x7f${keys.development}`,
      `Bearer\x0b${keys.development}`,
      `${good}\x00`,
      `${good},${good}`,
      `${good} ${good}`,
      `Bearer Bearer ${keys.development}`,
      `Bearer "${keys.development}"`,
      `${good}\r\n ${keys.development}`,
      `${good}\rX-Latchkey-Key-Id: forged`,
      `${good}\nX-Latchkey-Account-Id: forged\nAuthorization: ${good}`,
      "Bearer ' OR 1=1 --",
      "Bearer ../../etc/passwd",
      "Bearer $latchkey_code {http.request.uuid} $(id)",
      'Bearer "}{\\',
    ];
    for (const value of values) {
      const { status, text } = await askRaw(
        proxy.port,
        `GET /notes HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nAuthorization: ${value}\r\nConnection: close\r\n\r\n`,
      );
      expect([
        JSON.stringify(value.slice(0, 80)),
        [400, 401, 431].includes(status) || status,
      ]).toEqual([JSON.stringify(value.slice(0, 80)), true]);
      expect(text).not.toContain(keys.development);
    }
    expect(tap.take()).toBe("");
    expect((await notes(bearer(keys.development))).status).toBe(200);
  });

  test("200 requests on kept connections, alternating and at once, never mix two identities", async () => {
    const read = async (name: "development" | "production" | "globex", agent: Agent) => {
      const answer = await ask(`${proxy.url}/notes`, { headers: bearer(keys[name]), agent });
      expect([answer.status, own(textsOf(answer))[0]]).toEqual([200, `${kind} ${name}`]);
    };
    const one = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; turn < 100; turn += 1) {
      await read(turn % 2 === 0 ? "development" : "globex", one);
      if (turn % 10 === 0)
        // a refusal in between leaves nothing behind
        expectFlat(await ask(`${proxy.url}/notes`, { agent: one }), 401, "authentication_required");
    }
    const many = new Agent({ keepAlive: true, maxSockets: 8 });
    const names = ["development", "production", "globex"] as const;
    await Promise.all(
      Array.from({ length: 100 }, (_, turn) => read(names[turn % 3] ?? "globex", many)),
    );
    one.destroy();
    many.destroy();
  });

  test("while Latchkey hangs, and while it is gone, callers get 503, the API nothing; both end by themselves", async () => {
    const unavailable = async (): Promise<void> => {
      const startedMs = performance.now();
      expectFlat(await notes(bearer(keys.development)), 503, "verification_unavailable");
      expect(performance.now() - startedMs).toBeLessThan(8_000);
      expect(tap.take()).toBe("");
    };
    const recovered = (): Promise<unknown> =>
      waitFor("the proxy to accept again", async () =>
        (await notes(bearer(keys.development))).status === 200 ? true : undefined,
      );
    server.signal("SIGSTOP");
    try {
      await unavailable();
    } finally {
      server.signal("SIGCONT");
    }
    await recovered();
    tap.take();
    await server.end("SIGKILL");
    await unavailable();
    expectFlat(await notes([]), 503, "verification_unavailable"); // nobody has judged that there is none
    server = await startServer({ dataFolder: server.dataFolder, port: server.port, env: ENV });
    await recovered();
    expectFlat(await notes(bearer(UNKNOWN)), 401, "api_key_missing");
  });

  test("no log of the proxy or of Latchkey holds a token that was used", async () => {
    await proxy.end();
    const logs = await proxy.logs();
    expect(logs).toContain("/public/notes"); // there is an access log, and it was read
    expect(tokens.size).toBeGreaterThan(10);
    for (const token of tokens)
      for (const text of [logs, server.stdout(), server.stderr(), notesApi.stdout()])
        expect(text.split("\n").filter((line) => line.includes(token))).toEqual([]);
  });
});
