import type { KeyType } from "@latchkey/sdk/core";
import type { Actor } from "./deeds.ts";

/** Progress of one revocation barrier; times are Unix ms. */
export interface Revocation {
  readonly seq: number;
  readonly effectiveAtMs: number | null;
  readonly tookMs: number | null;
  readonly acknowledged: number;
  readonly lapsed: number;
}

/** An API key as the management side sees it. `token` is `null` for secret keys: it is not kept. */
export interface ApiKey {
  readonly id: string;
  readonly environment: { readonly id: string; readonly slug: string };
  readonly type: KeyType;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly hint: string;
  readonly token: string | null;
  readonly createdAtMs: number;
  readonly createdBy: Actor;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly revokedAtMs: number | null;
  readonly revokedBy: Actor | null;
  readonly revokedReason: string | null;
  readonly revocation: Revocation | null;
  readonly rotatedFrom: string | null;
  readonly rotatedTo: string | null;
  /**
   * Of a key that was rotated: how long it lives on beside its successor, and since when; `null` while that waits for
   * the first use of the successor. `expiresAtMs` tells the end.
   */
  readonly overlap: { readonly lengthMs: number; readonly startedAtMs: number | null } | null;
}
