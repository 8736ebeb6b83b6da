import type {
  Absent,
  Actor,
  Deleted,
  Listed,
  Once,
  OnceOutcome,
  Origin,
  PageAsk,
} from "./store.ts";

/** A credential other than an API key; `accountId` is `null` for the operator's own (`vt_`, `ot_`). */
export interface AccessToken {
  readonly id: string;
  readonly kind: "service" | "verifier" | "operator";
  readonly accountId: string | null;
  readonly name: string;
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
  /** Those that are not deleted. */
  listTokens(page: PageAsk): Promise<Listed<IssuedToken>>;
  createToken(
    token: NewAccessToken,
    origin: Origin,
    once: Once | null,
  ): Promise<{ outcome: "created"; token: IssuedToken } | OnceOutcome>;
  /** By id; a deleted one is not found. */
  findIssuedToken(id: string): Promise<IssuedToken | undefined>;
  /** Final: it is not found by its digest from now on, and verifiers learn of it. Another deletion finds it absent. */
  deleteToken(id: string, origin: Origin): Promise<Deleted | Absent>;
}
