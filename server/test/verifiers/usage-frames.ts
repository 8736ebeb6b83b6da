import type { KeyCount } from "@latchkey/sdk/core";

/** No verdict of any kind. */
export const NONE = { accepted: 0, revoked: 0, expired: 0, type: 0, environment: 0 };
/** A caller that is right. */
export const CALLER = {
  keyId: "k",
  address: null,
  userAgent: null,
  firstMs: 1,
  lastMs: 1,
  count: 1,
};
/** A refusal that is right. */
export const REFUSAL = {
  requestId: "req_1",
  atMs: 1,
  reason: "revoked" as const,
  keyId: "k",
  types: ["secret" as const],
  environment: null,
  address: null,
  userAgent: null,
};

/** One accepted verification. */
export function count(keyId = "k"): KeyCount {
  return { keyId, minuteMs: 0, counts: { ...NONE, accepted: 1 }, lastAcceptedMs: 1 };
}

/** A report that is right but for what `fields` say. */
export function usage(fields: object) {
  const batch = { number: 1, counts: [], callers: [], refusals: [], ...fields };
  return { type: "usage" as const, source: "src_1", hurry: true, batch };
}
