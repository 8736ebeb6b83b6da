import { fileURLToPath } from "node:url";
import { createClient } from "@latchkey/sdk/client";
import { tokenChecksum } from "@latchkey/sdk/core";
import { expect, type TestContext } from "vitest";
import { startChild, waitFor } from "./child.ts";
import { type Answer, findProxy, type ProxyKind, startTap } from "./proxies.ts";
import { type FirstAccount, temporaryFolder } from "./real-server.ts";

/** Set where a missing proxy must not go unnoticed. */
const REQUIRED = process.env.LATCHKEY_REQUIRE_PROXIES === "1";
/** The proxies that there are examples for. */
export const KINDS: readonly ProxyKind[] = ["nginx", "caddy"];
const NOTES_API = fileURLToPath(new URL("../../examples/notes-api.mjs", import.meta.url));

/** A token of the right shape and checksum that nobody issued: only a look-up can refuse it. */
export const UNKNOWN = `sk_${"0".repeat(30)}${tokenChecksum(`sk_${"0".repeat(30)}`)}`;

/** Every token of the run; no log may hold one. */
export const tokens = new Set<string>();

export type ProxyStage = Awaited<ReturnType<typeof openProxyStage>>;

/** Starts the notes API of our examples, with a tap before it; the folder is for whatever else is started. */
export async function openProxyStage() {
  const folder = await temporaryFolder();
  const notesApi = startChild(process.execPath, [NOTES_API], { env: { PORT: "0" } });
  try {
    const apiPort = await waitFor(
      "the notes API",
      () => /http:\/\/127\.0\.0\.1:(\d+)/.exec(notesApi.stdout())?.[1],
    );
    const tap = await startTap(Number(apiPort));
    return {
      folder,
      notesApi,
      tap,
      async close() {
        await tap.close();
        await notesApi.end();
        await folder.remove();
      },
    };
  } catch (error) {
    await notesApi.end();
    await folder.remove();
    throw error;
  }
}

export type Keys = Awaited<ReturnType<typeof keysOf>>;

/** Keys of two accounts of a server: of the first, and of another that is made. */
export async function keysOf(acme: FirstAccount, url: string) {
  const operator = createClient({ url, token: acme.operator_token });
  const globex = await operator.accounts.create({ name: "Globex", slug: "globex" });
  return {
    development: tokenOf(acme, "development", "secret_key"),
    production: tokenOf(acme, "production", "secret_key"),
    public: tokenOf(acme, "development", "public_key"),
    globex: tokenOf(globex, "development", "secret_key"),
  };
}

function tokenOf(
  { environments }: Pick<FirstAccount, "environments">,
  slug: string,
  kind: "secret_key" | "public_key",
): string {
  const environment = environments.find((each) => each.slug === slug);
  if (environment === undefined) throw new Error(`no environment ${slug}`);
  return environment[kind];
}

/** Skips a test whose proxy is not installed, or fails it where that must not go unnoticed. */
export function needProxy(kind: ProxyKind, context: TestContext): void {
  if (findProxy(kind) !== undefined) return;
  const missing = `${kind} is not installed (apt-get install ${kind})`;
  if (REQUIRED) throw new Error(`${missing}, and LATCHKEY_REQUIRE_PROXIES is set`);
  context.skip(missing);
}

/** The field that presents a token, which is remembered. */
export function bearer(token: string): string[] {
  tokens.add(token);
  return ["Authorization", `Bearer ${token}`];
}

/** The parts of a flat error that hold for every refusal, whoever wrote it. */
export function expectFlat(answer: Answer, status: number, code: string): void {
  const body = JSON.parse(answer.body);
  expect({ status: answer.status, code: body.code }).toEqual({ status, code });
  expect(Object.keys(body)).toEqual(["code", "message", "status", "type", "request_id"]);
  expect(answer.body).toBe(JSON.stringify(body)); // no byte around it, nothing escaped wrongly
  expect(body.status).toBe(status);
  expect(body.message).toMatch(/^[\x20-\x7e]{10,}$/);
  expect(answer.headers["content-type"]).toBe("application/json");
  expect(body.request_id).toMatch(/^\S{20,}$/);
  expect(valuesOf(answer, "x-request-id")).toEqual([body.request_id]);
  expect(valuesOf(answer, "www-authenticate")).toEqual(status === 401 ? ["Bearer"] : []);
  expect(valuesOf(answer, "retry-after")).toEqual(status === 503 ? ["1"] : []);
}

function valuesOf({ rawHeaders }: Answer, name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

/** Fields of one request as the API was sent them: lower-case name, value. */
export function fieldsOf(bytes: string): [string, string][] {
  const [head = ""] = bytes.split("\r\n\r\n");
  return head
    .split("\r\n")
    .slice(1)
    .map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 2),
    ]);
}
