import type { RevocationJson } from "@latchkey/sdk/client";
import { shown } from "./printable.ts";

/** How a revocation ended, for people. */
export function receiptText({ state, took_ms, acknowledged, lapsed }: RevocationJson): string {
  if (state === "pending") return "Revoked; not confirmed everywhere yet.";
  const after = shown`Refused everywhere after ${took_ms ?? 0} ms`;
  return shown`${after}: ${acknowledged} of ${acknowledged + lapsed} verifiers confirmed.`;
}
