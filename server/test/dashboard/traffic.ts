import { join } from "node:path";
import type { UsageOutcome } from "@latchkey/sdk/client";
import SqliteDatabase from "better-sqlite3";
import { waitFor } from "../child.ts";
import type { World } from "./world.ts";

/** Lets {@link send} choose where a call seems to come from; for `openWorld`. */
export const BEHIND_PROXY = { LATCHKEY_TRUSTED_PROXIES: "127.0.0.1/32" } as const;

export interface Calls {
  times?: number;
  /** Of the caller, as a proxy names it; see {@link BEHIND_PROXY}. */
  from?: string;
  userAgent?: string;
  /** What the route asks for; a secret key unless given. */
  type?: "secret" | "public" | "any";
  environment?: string;
}

/** Calls the hot route with a token, and answers what the last call got. */
export async function send(
  { server }: World,
  token: string,
  { times = 1, from = "203.0.113.7", userAgent = "billing/1.0", ...ask }: Calls = {},
): Promise<{ status: number; requestId: string; body: string }> {
  const url = `${server.url}/v1/authenticate?${new URLSearchParams({ ...ask })}`;
  const headers = {
    Authorization: `Bearer ${token}`,
    "User-Agent": userAgent,
    "X-Forwarded-For": from,
  };
  let answer = { status: 0, requestId: "", body: "" };
  for (let call = 0; call < times; call += 1) {
    const response = await fetch(url, { headers });
    const requestId = response.headers.get("X-Request-Id") ?? "";
    answer = { status: response.status, requestId, body: await response.text() };
  }
  return answer;
}

/** Resolves when as many verifications of a key are stored, however they ended, or all of this outcome. */
export const stored = (
  { client }: World,
  id: string,
  count: number,
  outcome?: UsageOutcome,
): Promise<true> =>
  waitFor(`${count} verifications to be stored`, async () => {
    const { entries } = await client.apiKeys.usage(id, { granularity: "hour" });
    const counted = entries.filter((one) => outcome === undefined || one.outcome === outcome);
    return counted.reduce((sum, entry) => sum + entry.count, 0) >= count || undefined;
  });

/** Makes a key older, and its last use longer ago, than a test could wait for. Times are in days. */
export function age(
  { server }: World,
  id: string,
  { created, lastUsed }: { created: number; lastUsed?: number },
): void {
  const atOf = (days: number): number => Date.now() - days * 86_400_000;
  const database = new SqliteDatabase(join(server.dataFolder, "latchkey.db"), { timeout: 5_000 });
  try {
    database.prepare("update api_key set created_at = ? where id = ?").run(atOf(created), id);
    if (lastUsed === undefined) return;
    const { changes } = database
      .prepare(
        "update key_use set last_used_at = ? where key = (select number from api_key where id = ?)",
      )
      .run(atOf(lastUsed), id);
    if (changes !== 1) throw new Error("that key was never used");
  } finally {
    database.close();
  }
}
