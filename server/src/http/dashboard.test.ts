import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Failure } from "@latchkey/sdk/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDashboard, type Dashboard } from "./dashboard.ts";
import { readDashboard } from "./dashboard-files.ts";

const SCRIPT = `console.log(${JSON.stringify("x".repeat(5000))})`;
const folder = mkdtempSync(join(tmpdir(), "latchkey-dashboard-"));
let dashboard: Dashboard;

beforeAll(async () => {
  mkdirSync(join(folder, "built", "assets"), { recursive: true });
  writeFileSync(join(folder, "outside.txt"), "outside");
  writeFileSync(
    join(folder, "built", "index.html"),
    `<script nonce="__CSP_NONCE__"></script><style nonce="__CSP_NONCE__"></style>`,
  );
  writeFileSync(join(folder, "built", "assets", "app-1a2b.js"), SCRIPT);
  writeFileSync(join(folder, "built", "robots.txt"), "no");
  const files = await readDashboard(join(folder, "built"));
  dashboard = createDashboard(files, { ambient: { randomBytes }, https: false });
});
afterAll(() => rmSync(folder, { recursive: true }));

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  dashboard(new Request(`http://127.0.0.1:4400${path}`, { headers, method }));

function codeOf(path: string, method = "GET"): string {
  try {
    get(path, {}, method);
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  return "answered";
}

test.each(["/", "/acme/production/platform/api-keys", "/setup", "/index", "/authors"])(
  "%s is the page, never kept by anybody, under a strict policy",
  async (path) => {
    const response = get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(response.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(response.headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
    expect(response.headers.has("Strict-Transport-Security")).toBe(false);
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    const nonce = /script-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toContain("unsafe");
    expect(await response.text()).toBe(
      `<script nonce="${nonce}"></script><style nonce="${nonce}"></style>`,
    );
  },
);

test("no two answers share a nonce", () => {
  const policies = Array.from({ length: 100 }, () =>
    get("/").headers.get("Content-Security-Policy"),
  );
  expect(new Set(policies).size).toBe(100);
});

test("an asset is kept for ever, and comes compressed to whoever takes that", async () => {
  const path = "/assets/app-1a2b.js";
  const plain = get(path);
  expect(plain.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
  expect(plain.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
  expect(plain.headers.get("Vary")).toBe("Accept-Encoding");
  expect(plain.headers.has("Content-Encoding")).toBe(false);
  expect(await plain.text()).toBe(SCRIPT);

  const zipped = get(path, { "Accept-Encoding": "gzip, br;q=0" });
  expect(zipped.headers.get("Content-Encoding")).toBe("gzip");
  expect(gunzipSync(Buffer.from(await zipped.arrayBuffer())).toString()).toBe(SCRIPT);
  const brotli = get(path, { "Accept-Encoding": "gzip, deflate, br" });
  expect(brotli.headers.get("Content-Encoding")).toBe("br");
  expect(brotli.headers.get("ETag")).not.toBe(zipped.headers.get("ETag"));
});

test("whoever has an asset already gets 304 without a body", async () => {
  const etag = get("/robots.txt").headers.get("ETag") ?? "";
  const again = get("/robots.txt", { "If-None-Match": `"other", W/${etag}` });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe("");
  expect(again.headers.get("ETag")).toBe(etag);
});

test("HEAD has the headers and no body", async () => {
  for (const path of ["/", "/assets/app-1a2b.js"]) {
    const response = get(path, {}, "HEAD");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  }
});

test.each([
  "/assets/missing.js",
  "/favicon.ico",
  "/assets/../../outside.txt",
  "/%2e%2e/outside.txt",
  "/..%2foutside.txt",
  "/assets/..%2f..%2foutside.txt",
  "/..%5coutside.txt",
  "/index.html",
  "/v1/nothing",
  "/auth/sign-up/email",
  "/auth",
  "/docs/x",
  "/healthz/x",
  "/readyz",
  "/openapi.json",
])("%s is missing, and no page stands in its place", (path) => {
  expect(codeOf(path)).toBe("resource_missing");
});

test("only GET and HEAD are taken", () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    expect(codeOf("/", method)).toBe("method_not_allowed");
});

test("behind https browsers are told to stay with it", async () => {
  const files = await readDashboard(join(folder, "built"));
  const secured = createDashboard(files, { ambient: { randomBytes }, https: true });
  for (const path of ["/", "/robots.txt"]) {
    const response = secured(new Request(`https://keys.example.com${path}`));
    expect(response.headers.get("Strict-Transport-Security")).toBe("max-age=31536000");
  }
});
