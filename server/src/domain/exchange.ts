import { Failure } from "@latchkey/sdk/core";
import type { AccessToken, AccountStore, Origin } from "../store/store.ts";
import { draftKey, type KeyDeps } from "./keys.ts";
import { missing } from "./outcomes.ts";

/** How long a key lives that a service token is exchanged for, unless the token ends first. */
const EXCHANGED_LIFE_MS = 60 * 60_000;

/** How many of them live at one time of one token in one environment: a program that asks for each request has a bug. */
const EXCHANGED_LIVE_MAX = 20;

/**
 * Exchanges a service token for a new secret key of one environment. No verifier needs to hear of it, as of any new key;
 * deleting the token revokes it.
 *
 * @returns The key's token, for this one answer.
 * @throws Failure `resource_missing` for an unknown environment; `rate_limited` while too many such keys live, with the
 *   time until one of them ends; `invalid_token` when the service token was deleted meanwhile.
 */
export async function exchangeToken(
  deps: KeyDeps,
  account: AccountStore,
  token: Pick<AccessToken, "id" | "name" | "expiresAtMs">,
  environmentSlug: string,
  origin: Origin,
): Promise<string> {
  const expiresAtMs = Math.min(
    origin.atMs + EXCHANGED_LIFE_MS,
    token.expiresAtMs ?? Number.POSITIVE_INFINITY,
  );
  const description = `Exchanged from ${token.name}`; // a token's name is a quarter of what fits
  const drafted = draftKey(deps, { type: "secret", description, metadata: {}, expiresAtMs });
  const done = await account.exchangeToken(
    { environmentSlug, key: drafted.record, tokenId: token.id, liveMax: EXCHANGED_LIVE_MAX },
    origin,
  );
  switch (done.outcome) {
    case "created":
      return drafted.token;
    case "absent":
      throw missing("environment");
    case "token_absent":
      throw new Failure("invalid_token", "The token is not valid.");
    case "too_many":
      throw tooMany(done.untilMs, origin.atMs);
  }
}

function tooMany(untilMs: number | null, nowMs: number): Failure {
  return new Failure(
    "rate_limited",
    `This token has ${EXCHANGED_LIVE_MAX} exchanged keys in this environment already. Use one until it expires, or revoke one.`,
    untilMs === null ? {} : { retryAfterSeconds: Math.ceil((untilMs - nowMs) / 1_000) },
  );
}
