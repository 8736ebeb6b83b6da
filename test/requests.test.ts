import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const dashboard = new URL("../dashboard/src/", import.meta.url).pathname;

/** Everything by which a page of a browser can send something by itself. */
const SENDERS: ReadonlySet<string> = new Set([
  "fetch",
  "XMLHttpRequest",
  "WebSocket",
  "EventSource",
  "WebTransport",
  "RTCPeerConnection",
  "sendBeacon",
]);

/** Where a source names a sender: in code only, for a program that the page shows is text. */
function sendersIn(path: string, source: string): string[] {
  const found: string[] = [];
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    // A name may also be written globalThis["fetch"].
    if ((ts.isIdentifier(node) || ts.isStringLiteralLike(node)) && SENDERS.has(node.text))
      found.push(`${path}: ${node.text}`);
    node.forEachChild(visit);
  };
  visit(file);
  return found;
}

const sources = readdirSync(dashboard, { recursive: true, encoding: "utf8" }).filter((path) =>
  /\.tsx?$/.test(path),
);

test("the dashboard sends nothing but through the management client", () => {
  expect(
    sources.flatMap((path) => sendersIn(path, readFileSync(join(dashboard, path), "utf8"))),
  ).toEqual([]);
  // Of nothing that was read nothing would be found.
  expect(sources).toEqual(expect.arrayContaining(["api.ts", "main.tsx", "parts/shell.tsx"]));
  const api = readFileSync(join(dashboard, "api.ts"), "utf8");
  expect(api).toMatch(/\bcreateClient\b[^;]* from "@latchkey\/sdk\/client"/);
});

test.each([
  'await fetch("/v1/me");',
  'window.fetch("/auth/sign-out");',
  'globalThis["fetch"]("/v1/me");',
  "const { fetch: ask } = window;",
  "const page = <Form onSubmit={() => fetch('/v1/setup')} />;",
  "new XMLHttpRequest();",
  'navigator.sendBeacon("/v1/me");',
  'new EventSource("/v1/me");',
  'new WebSocket("ws://127.0.0.1");',
])("a request past the client is found: %s", (planted) => {
  expect(sendersIn("planted.tsx", planted)).toHaveLength(1);
});

test("a program that the page shows is text, and no request", () => {
  expect(sendersIn("shown.tsx", "const shown = `const a = await fetch('/v1')`;")).toEqual([]);
  expect(sendersIn("shown.tsx", "const page = <p>Call fetch(url)</p>;")).toEqual([]);
});
