import type { ApiKeyJson, RevocationJson } from "@latchkey/sdk/client";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { usePlace } from "../place.ts";
import { eachAtMost } from "../pool.ts";

/** Revocations under way at one time: each waits for every verifier, and they must not starve everybody else's. */
const atOnce = 5;

/** What has become of one of several keys. */
export type Fate =
  | { state: "waiting" }
  | { state: "revoking" }
  | { state: "revoked"; revocation: RevocationJson | null }
  | { state: "failed"; error: unknown };

export interface Revocations {
  /** `idle` until it was begun, and then for good one of the others. */
  phase: "idle" | "running" | "ended";
  fateOf: (id: string) => Fate;
  /** Revokes all that are not revoked yet; what failed is tried again by the next call. */
  run: (reason: string) => void;
}

/** Revokes several keys, a few at a time; one that fails stops no other. */
export function useRevocations(keys: readonly ApiKeyJson[]): Revocations {
  const { account, environment, client } = usePlace();
  const queryClient = useQueryClient();
  const [phase, setPhase] = useState<Revocations["phase"]>("idle");
  const [fates, setFates] = useState<ReadonlyMap<string, Fate>>(new Map());
  const fateOf = (id: string): Fate => fates.get(id) ?? { state: "waiting" };
  const note = (id: string, fate: Fate): void =>
    setFates((before) => new Map([...before, [id, fate]]));

  const run = async (reason: string): Promise<void> => {
    const left = keys.filter(({ id }) => fateOf(id).state !== "revoked");
    setPhase("running");
    for (const { id } of left) note(id, { state: "waiting" });
    await eachAtMost(atOnce, left, async ({ id }) => {
      note(id, { state: "revoking" });
      try {
        const { revocation } = await client.apiKeys.revoke(id, reason === "" ? {} : { reason });
        note(id, { state: "revoked", revocation });
      } catch (error) {
        note(id, { state: "failed", error });
      }
    });
    setPhase("ended");
    await queryClient.invalidateQueries({
      queryKey: cacheKeys.apiKeys(account.slug, environment.slug),
    });
  };
  return { phase, fateOf, run: (reason) => void run(reason) };
}
