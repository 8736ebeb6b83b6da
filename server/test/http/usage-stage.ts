import type { KeyCount, Outcome } from "@latchkey/sdk/core";
import { type Heard, NOW_MS, openWorld } from "./world.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const NONE: Readonly<Record<Outcome, number>> = {
  accepted: 0,
  revoked: 0,
  expired: 0,
  type: 0,
  environment: 0,
};

export type UsageStage = Awaited<ReturnType<typeof openUsageStage>>;

/** A world in which usage of acme's keys is recorded. */
export async function openUsageStage() {
  const world = await openWorld();
  let batches = 0;

  const ask = (to: string, body?: object, token = world.acme.serviceToken): Promise<Heard> =>
    world.call(to, { token, ...(body === undefined ? {} : { body }) });

  async function keysOf(environment: string, token = world.acme.serviceToken): Promise<string[]> {
    const heard = await ask(`GET /v1/api_keys?environment=${environment}`, undefined, token);
    return heard.body.entries.map(({ id }: { id: string }) => id);
  }

  /** Stores counts as a process that verified sends them. */
  async function record(...counts: KeyCount[]): Promise<void> {
    for (let at = 0; at < counts.length; at += 1_000) {
      batches += 1;
      const batch = { number: batches, counts: counts.slice(at, at + 1_000) };
      await world.store.recordUsage(
        [{ source: "src_test", callers: [], refusals: [], ...batch }],
        world.clock.nowMs,
      );
    }
  }

  await ask("POST /v1/api_keys?environment=development", {
    type: "secret",
    description: '=cmd|"/C calc"!A1',
  });
  return {
    world,
    ask,
    keysOf,
    record,
    /** Keys of acme's by environment: a secret and a public one each, and a third in development. */
    development: await keysOf("development"),
    production: await keysOf("production"),
  };
}

/** One count of a key, `agoMs` before now. */
export function count(
  keyId: string | undefined,
  agoMs: number,
  counts: Partial<Record<Outcome, number>>,
): KeyCount {
  const atMs = NOW_MS - agoMs;
  const lastAcceptedMs = counts.accepted === undefined ? 0 : atMs;
  const minuteMs = atMs - (atMs % MINUTE_MS);
  return { keyId: keyId ?? "", minuteMs, counts: { ...NONE, ...counts }, lastAcceptedMs };
}

/** When a bucket begins, that of `agoMs` before now. */
export const at = (agoMs: number, bucketMs: number): string => {
  const ms = NOW_MS - agoMs;
  return new Date(ms - (ms % bucketMs)).toISOString();
};
