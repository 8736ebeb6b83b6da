import { randomBytes } from "node:crypto";
import { BASE62, digestToken, parseToken } from "@latchkey/sdk/core";
import { expect, test } from "vitest";
import { tokenMaker } from "./tokens.ts";

test("a token made carries its prefix and brand, and its digest and hint are its own", () => {
  for (const brand of [null, "acme"])
    for (const prefix of ["sk", "pk", "st", "vt", "ot"] as const) {
      const { token, digest, hint } = tokenMaker(randomBytes, brand)(prefix);
      expect(parseToken(token)).toEqual({ prefix, brand });
      expect(digest).toBe(digestToken(token));
      expect(hint).toBe(`${prefix}_${brand === null ? "" : "acme_"}…${token.slice(-4)}`);
    }
});

test("no two of a hundred thousand tokens are alike", () => {
  const make = tokenMaker(randomBytes, null);
  const made = new Set(Array.from({ length: 100_000 }, () => make("sk").token));
  expect(made.size).toBe(100_000);
});

test("the random part draws every character of the alphabet alike", () => {
  const make = tokenMaker(randomBytes, null);
  const counts = new Map<string, number>();
  const tokens = 20_000;
  for (let i = 0; i < tokens; i++)
    for (const character of make("sk").token.slice(3, -6))
      counts.set(character, (counts.get(character) ?? 0) + 1);
  const mean = (tokens * 30) / 62;
  const chiSquare = [...BASE62].reduce(
    (sum, character) => sum + ((counts.get(character) ?? 0) - mean) ** 2 / mean,
    0,
  );
  expect(chiSquare).toBeLessThan(140); // 61 degrees of freedom: by chance less than once in 10⁷ runs
});
