import { readFileSync } from "node:fs";
import { FAILURE_STATUS, type FailureCode, type RefusalReason, refuse } from "@latchkey/sdk/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemType } from "../../src/http/problem.ts";
import { openWorld, type World } from "./world.ts";

const read = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");

/** Every reason to refuse a key; a reason that is missing here does not compile. */
const REASONS: Readonly<Record<RefusalReason, true>> = {
  no_credentials: true,
  malformed: true,
  wrong_kind: true,
  unknown: true,
  revoked: true,
  expired: true,
  type: true,
  environment: true,
};

/** Code, status and type of each row of one table of docs/errors.md. */
function documented(heading: string): string[] {
  const section = read("errors.md").split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.matchAll(/^\| `(\w+)` +\| (\d+) +\| `(\w+)` +\| [^|]+ \| [^|]+ \|$/gm);
  return [...rows].map(([, code, status, type]) => `${code} ${status} ${type}`).sort();
}

describe("docs/errors.md", () => {
  test("has every failure with its status and type, once, and no other", () => {
    const codes = Object.keys(FAILURE_STATUS) as FailureCode[];
    const known = codes.map((code) => `${code} ${FAILURE_STATUS[code]} ${problemType(code)}`);
    expect(documented("Failures")).toEqual(known.sort());
  });

  test("has every refusal with its status and type, once, and no other", () => {
    const reasons = Object.keys(REASONS) as RefusalReason[];
    const known = reasons.map((reason) => {
      const { code, status, type } = refuse(reason, { types: ["secret"] }, null, "req").refusal;
      return `${code} ${status} ${type}`;
    });
    expect(documented("Refusals")).toEqual([...new Set(known)].sort());
  });
});

describe("the documents that the server gives out", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  test("describe every route, and docs/api.md mentions each of them", async () => {
    const { body } = await world.call("GET /openapi.json");
    expect(body.openapi).toBe("3.1.0");
    const page = read("api.md");
    const routes = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.length).toBeGreaterThan(15);
    for (const route of routes)
      expect(
        [`\`${route}\``, `\`${route}?`].some((mention) => page.includes(mention)),
        route,
      ).toBe(true);
  });

  test("name the credentials that each route takes, and every parameter strictly", async () => {
    const { body } = await world.call("GET /openapi.json");
    const create = body.paths["/v1/api_keys"].post;
    expect(create.security).toEqual([{ service_token: [] }, { session: [] }]);
    expect(create.requestBody.content["application/json"].schema).toMatchObject({
      required: ["type"],
      additionalProperties: false,
    });
    expect(create.parameters.map(({ name }: { name: string }) => name).sort()).toEqual(
      ["Idempotency-Key", "Latchkey-Account", "environment"].sort(),
    );
    expect(body.components.schemas).toHaveProperty("ApiKey");
    expect(JSON.stringify(body)).not.toMatch(/"\$ref":"(?!#\/components\/)/);
  });

  test("have a page that runs no script but our own", async () => {
    for (const to of ["GET /docs", "GET /docs/"]) {
      const page = await world.call(to);
      expect([page.status, page.headers.get("Content-Type")]).toEqual([
        200,
        "text/html; charset=utf-8",
      ]);
      expect(page.headers.get("Content-Security-Policy")).not.toMatch(/unsafe|\*|https?:/);
      expect(page.text).not.toMatch(/<script>|<style|https?:\/\/| on\w+=/);
      for (const [, asset] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
        const heard = await world.call(`GET ${asset}`);
        expect(heard.status, asset).toBe(200);
        expect(heard.headers.get("X-Content-Type-Options")).toBe("nosniff");
      }
    }
  });
});

describe("health", () => {
  test("is alive while it lives, and ready while it could decide", async () => {
    let ready = true;
    const world = await openWorld(() => ({ ready: () => ready }));
    expect((await world.call("GET /healthz")).status).toBe(200);
    expect((await world.call("GET /readyz")).status).toBe(200);
    ready = false;
    expect((await world.call("GET /healthz")).status).toBe(200);
    const heard = await world.call("GET /readyz");
    expect([heard.status, heard.body.code]).toEqual([503, "service_unavailable"]);
    expect(heard.headers.get("Retry-After")).toBe("1");
    await world.close();
  });
});
