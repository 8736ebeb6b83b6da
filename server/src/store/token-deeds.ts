import type {
  Absent,
  Actor,
  Deleted,
  Listed,
  Once,
  OnceOutcome,
  Origin,
  PageAsk,
} from "./deeds.ts";
import type { NewKey } from "./key-deeds.ts";

/** A credential other than an API key; `accountId` is `null` for the operator's own (`vt_`, `ot_`). */
export interface AccessToken {
  readonly id: string;
  readonly kind: "service" | "verifier" | "operator";
  readonly accountId: string | null;
  readonly name: string;
  /** Unix ms; `null`: it lives until it is deleted. */
  readonly expiresAtMs: number | null;
}

export interface NewAccessToken extends AccessToken {
  readonly digest: string;
  readonly hint: string;
}

/** An access token as the management side sees it. */
export interface IssuedToken extends AccessToken {
  readonly hint: string;
  readonly createdAtMs: number;
  readonly createdBy: Actor;
  readonly lastUsedAtMs: number | null;
}

/** The access tokens of one account, or of the operator. Every change writes its audit event in one transaction. */
export interface TokenStore {
  /** Those that are not deleted; expired ones too. */
  listTokens(page: PageAsk): Promise<Listed<IssuedToken>>;
  createToken(
    token: NewAccessToken,
    origin: Origin,
    once: Once | null,
  ): Promise<{ outcome: "created"; token: IssuedToken } | OnceOutcome>;
  /** By id; a deleted one is not found. */
  findIssuedToken(id: string): Promise<IssuedToken | undefined>;
  /**
   * Final: it is not found by its digest from now on, and verifiers learn of it. Another deletion finds it absent. The
   * keys that it was exchanged for and that live are revoked in the same transaction, each with an audit event of its own.
   *
   * @param nextEventId Makes the ids of those events.
   * @returns `keySeqs` are of the keys' revocations, all below `seq`; a repetition of the same deed has none.
   */
  deleteToken(
    id: string,
    origin: Origin,
    nextEventId: () => string,
  ): Promise<(Deleted & { readonly keySeqs: readonly number[] }) | Absent>;
}

/** A key about to be stored that a service token is exchanged for. */
export interface ExchangedKey {
  readonly environmentSlug: string;
  readonly key: NewKey;
  readonly tokenId: string;
  /** How many such keys of this token and environment may live at one time. */
  readonly liveMax: number;
}

/** Service tokens of one account, given for keys. */
export interface ExchangeStore {
  /**
   * Stores the key, unless too many live: of concurrent calls no more than may live succeed. `absent`: no such
   * environment (or deleted) in this account. `token_absent`: the token was deleted meanwhile. `too_many`: as many live,
   * and `untilMs` is when the first of them ends, `null` for never.
   */
  exchangeToken(
    exchanged: ExchangedKey,
    origin: Origin,
  ): Promise<
    | { outcome: "created" }
    | { outcome: "absent" }
    | { outcome: "token_absent" }
    | { outcome: "too_many"; untilMs: number | null }
  >;
  /** How many keys of each of these tokens live at `nowMs`, by the token's id; none where it is missing. */
  countExchangedKeys(
    tokenIds: readonly string[],
    nowMs: number,
  ): Promise<ReadonlyMap<string, number>>;
}
