import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { judge } from "./judge.ts";
import { digestToken, parseToken } from "./token.ts";

const folder = new URL("../vectors/", import.meta.url);
const load = <T>(name: string, shape: z.ZodType<T>): T[] =>
  z
    .array(shape)
    .min(10)
    .parse(JSON.parse(readFileSync(new URL(name, folder), "utf8")));

const tokens = load(
  "tokens.json",
  z.strictObject({
    name: z.string(),
    token: z.string(),
    expect: z
      .strictObject({ prefix: z.string(), brand: z.string().nullable(), digest: z.string() })
      .nullable(),
  }),
);
const keyShape = z.strictObject({
  id: z.string(),
  type: z.enum(["secret", "public"]),
  metadata: z.record(z.string(), z.string()),
  account: z.strictObject({ id: z.string(), slug: z.string(), externalId: z.string().nullable() }),
  environment: z.strictObject({ id: z.string(), slug: z.string() }),
  revokedAtMs: z.number().nullable(),
  expiresAtMs: z.number().nullable(),
});
const verdicts = load(
  "verdicts.json",
  z.strictObject({
    name: z.string(),
    key: keyShape.nullable(),
    ask: z.strictObject({
      types: z.array(z.enum(["secret", "public"])),
      environment: z.string().optional(),
    }),
    now_ms: z.number(),
    expect: z.enum(["accept", "unknown", "revoked", "expired", "type", "environment"]),
  }),
);

describe("the token vectors hold", () => {
  test.each(tokens)("$name", ({ token, expect: expected }) => {
    const parts = parseToken(token);
    expect(parts === null ? null : { ...parts, digest: digestToken(token) }).toEqual(expected);
  });
});

describe("the verdict vectors hold", () => {
  test.each(verdicts)("$name", ({ key, ask, now_ms: nowMs, expect: expected }) => {
    const judgement = judge(key, ask, nowMs);
    expect(judgement.ok ? "accept" : judgement.reason).toBe(expected);
    if (!judgement.ok) expect(judgement.key).toBe(key); // the owner is told whose key it was
  });
});

const python = spawnSync("python3", ["--version"]).status === 0;
test.runIf(python)("a second implementation, in Python, passes the same vectors", () => {
  const output = execFileSync("python3", [new URL("run.py", folder).pathname], {
    encoding: "utf8",
  });
  expect(output).toBe(`${tokens.length + verdicts.length} passed, 0 failed\n`);
});
