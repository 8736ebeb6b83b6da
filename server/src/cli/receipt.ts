import type { RevocationJson } from "@latchkey/sdk/client";

/** How a revocation ended, for people. */
export function receiptText({ state, took_ms, acknowledged, lapsed }: RevocationJson): string {
  if (state === "pending") return "Revoked; not confirmed everywhere yet.";
  const after = `Refused everywhere after ${took_ms ?? 0} ms`;
  return `${after}: ${acknowledged} of ${acknowledged + lapsed} verifiers confirmed.`;
}
