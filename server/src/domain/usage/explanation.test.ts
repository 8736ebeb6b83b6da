import { describe, expect, test } from "vitest";
import type { ApiKey, Refused } from "../../store/store.ts";
import { explanationOf, lateByMs } from "./explanation.ts";

const AT_MS = Date.parse("2026-11-23T15:03:20.000Z");
const DAY_MS = 86_400_000;

const key: ApiKey = {
  id: "key_1",
  environment: { id: "env_1", slug: "production" },
  type: "public",
  description: "",
  metadata: {},
  hint: "pk_…9fQ2",
  token: null,
  createdAtMs: 0,
  createdBy: { type: "system", id: "", name: "" },
  expiresAtMs: null,
  lastUsedAtMs: null,
  revokedAtMs: null,
  revokedBy: null,
  revokedReason: null,
  revocation: null,
  rotatedFrom: null,
  rotatedTo: null,
  overlap: null,
};

function refused(reason: Refused["reason"], of: Partial<ApiKey> | null = {}): Refused {
  return {
    requestId: "req_1",
    atMs: AT_MS,
    reason,
    types: ["secret"],
    environment: "development",
    address: null,
    userAgent: null,
    key: of === null ? null : { ...key, ...of },
  };
}

const revokedBy = { type: "person", id: "per_1", name: "Ada" } as const;

function told(reason: Refused["reason"], of: Partial<ApiKey> | null = {}): [string, number | null] {
  const one = refused(reason, of);
  return [explanationOf(one), lateByMs(one)];
}

describe("a revoked key", () => {
  test("is told with when, by whom, and how late it still came", () => {
    const revokedAtMs = AT_MS - DAY_MS - 3_600_000;
    expect(told("revoked", { revokedAtMs, revokedBy })).toEqual([
      "This API key was revoked on 2026-11-22 at 14:03 UTC by Ada; this request came 1 day later.",
      DAY_MS + 3_600_000,
    ]);
  });

  test.each([
    [{ type: "service_token", id: "tok_1", name: "CI" }, ' by the service token "CI"'],
    [{ type: "operator", id: "tok_1", name: "First" }, " by the operator"],
    [{ type: "command_line", id: "", name: "" }, " from the command line"],
    [{ type: "system", id: "", name: "" }, ""],
    [null, ""],
  ] as const)("by %j", (by, words) => {
    expect(told("revoked", { revokedAtMs: AT_MS - 5_000, revokedBy: by })[0]).toBe(
      `This API key was revoked on 2026-11-23 at 15:03 UTC${words}; this request came 5 seconds later.`,
    );
  });

  test("that was rotated names its successor", () => {
    const of = { revokedAtMs: AT_MS - 60_000, revokedBy, rotatedTo: "key_2" };
    expect(told("revoked", of)[0]).toBe(
      "This API key was revoked on 2026-11-23 at 15:02 UTC by Ada, after it was rotated to its successor key_2; this request came 1 minute later.",
    );
  });

  test("is not late by less than nothing where two clocks differ a little", () => {
    const [text, late] = told("revoked", { revokedAtMs: AT_MS + 900, revokedBy });
    expect(text).toContain("this request came within the same second.");
    expect(late).toBe(0);
  });

  test("that was never revoked itself was refused with its account", () => {
    for (const of of [{}, { revokedAtMs: AT_MS + DAY_MS, revokedBy }])
      expect(told("revoked", of)).toEqual([
        "This API key had not been revoked itself: its account was suspended when the request came.",
        null,
      ]);
  });
});

test.each([
  [999, "within the same second"],
  [1_000, "1 second later"],
  [59_999, "59 seconds later"],
  [7_200_000, "2 hours later"],
  [DAY_MS * 400, "400 days later"],
])("%i ms after its end a key came %s", (lateMs, words) => {
  const [text, late] = told("expired", { expiresAtMs: AT_MS - lateMs });
  expect(text).toMatch(/^This API key expired on \d{4}-\d\d-\d\d at \d\d:\d\d UTC; this request /);
  expect(text).toContain(`this request came ${words}.`);
  expect(late).toBe(lateMs);
});

test("a key that ended with its overlap names its successor", () => {
  const overlap = { lengthMs: 3_600_000, startedAtMs: AT_MS - 3_660_000 };
  const of = { expiresAtMs: AT_MS - 60_000, rotatedTo: "key_2", overlap };
  expect(told("expired", of)).toEqual([
    "This API key expired on 2026-11-23 at 15:02 UTC, at the end of its rotation's overlap; its successor is key_2; this request came 1 minute later.",
    60_000,
  ]);
  for (const other of [
    { ...of, expiresAtMs: AT_MS - 120_000 }, // its own end came first
    { ...of, overlap: { ...overlap, startedAtMs: null } },
  ]) {
    const [text] = told("expired", other);
    expect(text).toContain("UTC, after it was rotated to its successor key_2; this request");
  }
});

test("what another key would have been needed for is told", () => {
  expect(told("type")).toEqual([
    "This is a public key, and the request was checked for a secret key.",
    null,
  ]);
  expect(told("environment")).toEqual([
    "This API key belongs to the environment production, and the request was checked for development.",
    null,
  ]);
});

test.each(["no_credentials", "malformed", "wrong_kind", "unknown"] as const)(
  "without a key, %s is one sentence, and nothing is late",
  (reason) => {
    const [text, late] = told(reason, null);
    expect(text).toMatch(/^[A-Z][^.]+\.$/);
    expect(late).toBeNull();
  },
);
