import { Failure } from "@latchkey/sdk/core";
import { expect, test } from "vitest";
import { passwordProblem, SETUP_FIELDS, slugOf } from "./setup.ts";

test.each([
  ["Acme", "acme"],
  ["Über Söhne GmbH", "uber-sohne-gmbh"],
  ["  A & B,  Inc. ", "a-b-inc"],
  [`${"a".repeat(39)} b`, "a".repeat(39)],
  ["x".repeat(100), "x".repeat(40)],
])("%j gets the slug %s", (name, slug) => expect(slugOf(name)).toBe(slug));

test.each(["株式会社", "!!!", "V1", "Settings", "Sign in"])(
  "%j needs a slug of its own choice, and the error names the field",
  (name) => {
    let thrown: unknown;
    try {
      slugOf(name);
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof Failure)) throw thrown;
    expect(thrown.errors.map(({ field }) => field)).toEqual(["account.slug"]);
  },
);

test("a password has 12 to 128 characters, of any kind", () => {
  expect(passwordProblem("x".repeat(11))).toMatch(/at least 12/);
  expect(passwordProblem("x".repeat(12))).toBeUndefined();
  expect(passwordProblem(" ".repeat(128))).toBeUndefined();
  expect(passwordProblem("x".repeat(129))).toMatch(/at most 128/);
});

const FIELDS = {
  name: "Ada",
  email: "Ada@Example.com ",
  password: "correct horse battery",
  account: { name: "Acme" },
};

test("e-mail addresses are kept in lower case", () => {
  expect(SETUP_FIELDS.parse(FIELDS).email).toBe("ada@example.com");
});

test.each([
  ["name", { name: " " }],
  ["name", { name: "a\u0007b" }],
  ["name", { name: "x".repeat(101) }],
  ["email", { email: "ada" }],
  ["email", { email: `${"a".repeat(250)}@example.com` }],
  ["password", { password: "short" }],
  ["account.name", { account: { name: "" } }],
  ["account.slug", { account: { name: "Acme", slug: "-acme" } }],
  ["account.slug", { account: { name: "Acme", slug: "v1" } }],
  ["account", { account: { name: "Acme", other: 1 } }],
  ["", { role: "owner" }],
])("a wrong %s is refused", (field, change) => {
  const parsed = SETUP_FIELDS.safeParse({ ...FIELDS, ...change });
  expect(parsed.error?.issues.map((issue) => issue.path.join("."))).toEqual([field]);
});
