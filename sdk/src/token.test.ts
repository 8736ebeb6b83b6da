import fc from "fast-check";
import { expect, test } from "vitest";
import { BASE62, parseToken, TOKEN_LENGTH_MAX, tokenChecksum, tokenHint } from "./token.ts";

const prefixes = ["sk", "pk", "st", "vt", "ot"] as const;
const character = fc.constantFrom(...BASE62);
const brand = fc.string({
  unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789"),
  minLength: 2,
  maxLength: 16,
});
const token = fc
  .tuple(
    fc.constantFrom(...prefixes),
    fc.option(brand),
    fc.string({ unit: character, minLength: 30, maxLength: 30 }),
  )
  .map(([prefix, name, random]) => {
    const body = `${prefix}_${name === null ? "" : `${name}_`}${random}`;
    return { prefix, brand: name, token: body + tokenChecksum(body) };
  });

test("every token made is parsed back into its parts", () => {
  fc.assert(
    fc.property(token, ({ prefix, brand: name, token: text }) => {
      expect(parseToken(text)).toEqual({ prefix, brand: name });
      expect(text.length).toBeLessThanOrEqual(TOKEN_LENGTH_MAX);
    }),
  );
});

test("every change of a single character is refused without a look-up", () => {
  const alphabet = [...BASE62, "_", "-", " ", "é", "\u0000"];
  fc.assert(
    fc.property(token, ({ token: text }) => {
      for (let at = 0; at < text.length; at++)
        for (const other of alphabet)
          if (other !== text[at])
            expect(parseToken(text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
    }),
    { numRuns: 20 },
  );
});

test("garbage of any kind is no token", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 5000 }), (text) => {
      expect(parseToken(text)).toBeNull();
    }),
  );
});

test("a hint shows the prefix, the brand and four characters, and no more", () => {
  expect(tokenHint("sk_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sTabcdef")).toBe("sk_…cdef");
  expect(tokenHint("sk_acme_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sTabcdef")).toBe("sk_acme_…cdef");
});
