import type { ApiKeyJson } from "@latchkey/sdk/client";

/** What a key is at a moment: the order is that of a verification, so a revoked key is never called expired. */
export function stateOf(key: ApiKeyJson, nowMs: number): "active" | "revoked" | "expired" {
  if (key.revoked_at !== null) return "revoked";
  if (key.expires_at !== null && new Date(key.expires_at).getTime() <= nowMs) return "expired";
  return "active";
}

const soonMs = 7 * 24 * 60 * 60 * 1000;

/** Whether an active key ends within a week: time to see to its successor. */
export function endsSoon(key: ApiKeyJson, nowMs: number): boolean {
  if (key.expires_at === null || stateOf(key, nowMs) !== "active") return false;
  return new Date(key.expires_at).getTime() - nowMs <= soonMs;
}
