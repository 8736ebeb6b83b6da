import { connect } from "node:net";
import { createClient } from "@latchkey/sdk/client";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startTestService } from "./service.ts";

type Service = Awaited<ReturnType<typeof startTestService>>;
let service: Service;
let secret: string;
let publicKey: string;
beforeAll(async () => {
  service = await startTestService();
  const development = service.provisioned.environments.find(({ slug }) => slug === "development");
  if (development === undefined) throw new Error("no development environment");
  secret = development.secret_key;
  publicKey = development.public_key;
});
afterAll(() => service.close());

const FLAT = z.strictObject({
  code: z.string(),
  message: z.string().regex(/^[\x20-\x7e]+$/),
  status: z.number().int(),
  type: z.enum(["authentication_error", "invalid_request_error", "api_error", "rate_limit_error"]),
  request_id: z.string().regex(/^req_[0-9A-Za-z]{24}$/),
  errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
});

const ask = (path: string, authorization?: string, method = "GET") =>
  fetch(`${service.url}/v1/authenticate${path}`, {
    method,
    headers: authorization === undefined ? {} : { Authorization: authorization },
  });

/** Sends raw bytes and collects whatever comes back until the connection ends or has been quiet. */
function raw(bytes: string | Uint8Array): Promise<string> {
  const { port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(bytes));
    const parts: Buffer[] = [];
    const end = (): void => {
      socket.destroy();
      resolve(Buffer.concat(parts).toString("latin1"));
    };
    socket.setTimeout(400, end);
    socket.on("data", (part) => parts.push(part));
    socket.on("end", end);
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? end() : reject(error),
    );
  });
}

test("an accepted key answers 200 with an empty body and every identity header", async () => {
  const response = await ask("", `Bearer ${secret}`);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("");
  const identity = Object.fromEntries(
    [...response.headers].filter(([name]) => name.startsWith("x-")),
  );
  expect(identity).toEqual({
    "x-request-id": expect.stringMatching(/^req_/),
    "x-latchkey-account": "acme",
    "x-latchkey-account-id": service.provisioned.account.id,
    "x-latchkey-environment": "development",
    "x-latchkey-environment-id": service.provisioned.environments[0]?.id,
    "x-latchkey-key-id": expect.stringMatching(/^key_/),
    "x-latchkey-key-type": "secret",
  });
  const head = await ask("", `bearer   ${secret}`, "HEAD");
  expect(head.status).toBe(200);
  expect(head.headers.get("x-latchkey-environment")).toBe("development");
});

describe("refusals", () => {
  const other = "sk_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT1zREhR"; // well-formed, and nobody's
  test.each<[string, string, () => string | undefined, number, string]>([
    ["no header", "", () => undefined, 401, "authentication_required"],
    ["another scheme", "", () => "Basic abc", 401, "authentication_required"],
    ["a token without its scheme", "", () => secret, 401, "authentication_required"],
    ["an empty token", "", () => "Bearer", 401, "authentication_required"],
    ["garbage", "", () => "Bearer hello", 401, "api_key_missing"],
    [
      "a wrong checksum",
      "",
      () => `Bearer ${secret.slice(0, -1)}${secret.endsWith("A") ? "B" : "A"}`,
      401,
      "api_key_missing",
    ],
    ["an unknown key", "", () => `Bearer ${other}`, 401, "api_key_missing"],
    ["two tokens", "", () => `Bearer ${secret} ${secret}`, 401, "api_key_missing"],
    [
      "a public key on a secret route",
      "",
      () => `Bearer ${publicKey}`,
      403,
      "incorrect_token_type",
    ],
    [
      "a secret key on a public route",
      "?type=public",
      () => `Bearer ${secret}`,
      403,
      "incorrect_token_type",
    ],
    [
      "another environment",
      "?environment=production",
      () => `Bearer ${secret}`,
      403,
      "environment_mismatch",
    ],
    [
      "an environment that does not exist",
      "?environment=nowhere",
      () => `Bearer ${secret}`,
      403,
      "environment_mismatch",
    ],
    [
      "a service token",
      "",
      () => `Bearer ${service.provisioned.service_token}`,
      401,
      "incorrect_token_type",
    ],
    [
      "a verifier token",
      "?type=any",
      () => `Bearer ${service.provisioned.verifier_token}`,
      401,
      "incorrect_token_type",
    ],
    [
      "an operator token",
      "",
      () => `Bearer ${service.provisioned.operator_token}`,
      401,
      "incorrect_token_type",
    ],
  ])("%s", async (_, query, authorization, status, code) => {
    const response = await ask(query, authorization());
    expect(response.status).toBe(status);
    const body = FLAT.parse(await response.json());
    expect(body).toMatchObject({ code, status, type: "authentication_error" });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-latchkey-code")).toBe(code);
    expect(response.headers.get("x-latchkey-message")).toBe(body.message);
    expect(response.headers.get("x-request-id")).toBe(body.request_id);
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
    expect(
      [...response.headers.keys()].filter((name) =>
        /^x-latchkey-(account|environment|key)/.test(name),
      ),
    ).toEqual([]);
  });

  test("malformed, unknown and revoked keys are told the same, byte for byte but for the request id", async () => {
    const client = createClient({ url: service.url, token: service.provisioned.service_token });
    const key = await client.apiKeys.create("production", { type: "secret" });
    expect((await ask("", `Bearer ${key.api_key}`)).status).toBe(200);
    await client.apiKeys.revoke(key.id);
    const answers = await Promise.all(
      ["Bearer nonsense", `Bearer ${other}`, `Bearer ${key.api_key}`].map(async (authorization) => {
        const response = await ask("", authorization);
        const headers = [...response.headers].filter(
          ([name]) => name !== "date" && name !== "x-request-id",
        );
        const text = await response.text();
        return JSON.stringify([response.status, headers, text.replace(/req_[0-9A-Za-z]{24}/, "")]);
      }),
    );
    expect(new Set(answers).size).toBe(1);
  });

  test("a request id of the caller's is ignored", async () => {
    const response = await fetch(`${service.url}/v1/authenticate`, {
      headers: { "X-Request-Id": "mine" },
    });
    expect(FLAT.parse(await response.json()).request_id).not.toBe("mine");
    expect(response.headers.get("x-request-id")).not.toBe("mine");
  });
});

test.each([
  "?type=foo",
  "?typ=secret",
  "?type=secret&type=any",
  "?environment=",
  "?environment=A%00",
  "?type=",
  "?__proto__=1",
  "?environment=a&environment=b",
  "?constructor=1",
])("the query %s is refused, and accepts nobody", async (query) => {
  const response = await ask(query, `Bearer ${secret}`);
  expect(response.status).toBe(422);
  expect(FLAT.parse(await response.json())).toMatchObject({
    code: "invalid_params",
    errors: [expect.anything()],
  });
});

test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])(
  "the method %s is refused",
  async (method) => {
    const response = await ask("", `Bearer ${secret}`, method);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(FLAT.parse(await response.json()).code).toBe("method_not_allowed");
  },
);

test("paths beside the hot route are not the hot route", async () => {
  for (const path of ["/", "x", "/../authenticate/x", "%20"]) {
    const response = await ask(path, `Bearer ${secret}`);
    expect(response.status, path).toBe(404);
    expect(FLAT.parse(await response.json()).code).toBe("resource_missing");
  }
});

describe("hostile bytes", () => {
  const request = (headers: string[], path = "/v1/authenticate") =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers.map((each) => `${each}\r\n`).join("")}\r\n`;
  test.each<[string, () => string | Uint8Array, number]>([
    [
      "two Authorization headers, both good",
      () => request([`Authorization: Bearer ${secret}`, `authorization: Bearer ${secret}`]),
      400,
    ],
    [
      "two Authorization headers, one empty",
      () => request([`Authorization: Bearer ${secret}`, "Authorization:"]),
      400,
    ],
    [
      "an Authorization header of 15 KB",
      () => request([`Authorization: Bearer ${"a".repeat(15_000)}`]),
      401,
    ],
    [
      "an Authorization header of 20 KB",
      () => request([`Authorization: Bearer ${"a".repeat(20_000)}`]),
      431,
    ],
    [
      "latin-1 in the Authorization header",
      () => Buffer.from(request(["Authorization: Bearer \xe9\xff"]), "latin1"),
      401,
    ],
    ["UTF-8 in the Authorization header", () => request([`Authorization: Bearer ${secret}é`]), 401],
    ["a NUL byte in a header", () => request([`Authorization: Bearer ${secret}\0`]), 400],
    ["a bare CR in a header", () => request([`Authorization: Bearer ${secret}\rX: y`]), 400],
    ["a folded header", () => request(["Authorization: Bearer", ` ${secret}`]), 400],
    ["no HTTP at all", () => "\x16\x03\x01\x02\x00\r\n\r\n", 400],
    ["a broken URL", () => request([], "/v1/authenticate?environment=%E0%A4%A"), 422],
    ["an absolute URL that cannot be parsed", () => request([], "http://[/"), 400],
    [
      "a Host that is none",
      () => "GET /v1/me HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
      400,
    ],
    ["no Host", () => "GET /v1/me HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["both lengths", () => request(["Content-Length: 3", "Transfer-Encoding: chunked"]), 400],
  ])("%s", async (_, bytes, status) => {
    const answer = await raw(bytes());
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
    expect(FLAT.parse(JSON.parse(body)).status).toBe(status);
    expect(answer).not.toContain("X-Latchkey-Account");
    expect((await ask("", `Bearer ${secret}`)).status).toBe(200); // and the server goes on
  });

  test("whatever stands in the Authorization header and the query, the answer is a flat 4xx", async () => {
    const header = fc.oneof(
      fc.string({
        unit: fc
          .integer({ min: 0x20, max: 0xff })
          .filter((code) => code !== 0x7f)
          .map((code) => String.fromCharCode(code)),
        maxLength: 200,
      }),
      fc.constantFrom("Bearer ", "bearer sk_", "Bearer pk_", "Basic ").chain((prefix) =>
        fc
          .string({
            unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
            maxLength: 80,
          })
          .map((rest) => prefix + rest),
      ),
    );
    const query = fc.oneof(
      fc.constant(""),
      fc.webQueryParameters().map((text) => `?${text}`),
    );
    await fc.assert(
      fc.asyncProperty(header, query, async (authorization, search) => {
        const response = await ask(search, authorization);
        expect(response.status).toBeGreaterThanOrEqual(400);
        expect(response.status).toBeLessThan(500);
        FLAT.parse(await response.json());
      }),
      { numRuns: 300 },
    );
  });
});

test("one connection used by two keys in turn never mixes their identities", async () => {
  const production = service.provisioned.environments.find(({ slug }) => slug === "production");
  const keys = [
    [secret, "development"],
    [production?.secret_key, "production"],
  ] as const;
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, at) => {
      const [token, environment] = keys[at % 2] ?? keys[0];
      const response = await ask("", `Bearer ${token}`);
      return response.headers.get("x-latchkey-environment") === environment;
    }),
  );
  expect(answers.every(Boolean)).toBe(true);
});

test("nothing that was asked above left a token in the log", () => {
  const log = service.logged();
  for (const token of JSON.stringify(service.provisioned).match(/[a-z]{2}_[0-9A-Za-z]{36}/g) ?? [])
    expect(log).not.toContain(token);
});
