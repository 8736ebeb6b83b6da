import { type Ask, judge } from "./judge.ts";
import type { HeldKey, Lookup } from "./lease/lookup.ts";
import { digestToken, parseToken } from "./token.ts";
import { type RefusalReason, refuse, type Verdict } from "./verdict.ts";

/**
 * Verifies the credentials of one request.
 *
 * @param credentials The token, or the whole `Authorization` header; `null` when the request had none.
 * @param requestId Put into a refusal; made anew for each refusal when absent.
 * @returns The verdict at once when the key is warm, else a promise of it.
 * @throws Failure `verification_unavailable`, as a rejection, when it cannot be decided.
 */
export type Verify = (
  credentials: string | null | undefined,
  ask: Ask,
  requestId?: string,
) => Verdict | Promise<Verdict>;

/** Use of a key, to be reported: the last time it was accepted, Unix ms. */
export interface KeyUse {
  readonly keyId: string;
  readonly atMs: number;
}

export interface Verifier {
  readonly verify: Verify;
  /** Hands over the uses since the last call, one for each key. */
  drainUses(): KeyUse[];
}

export interface VerifierOptions {
  readonly lookup: Lookup;
  /** Makes the id of a refusal whose request has none. */
  requestId(): string;
}

/**
 * The hot path: header, digest, leased look-up, judge, tally. A warm digest proves the shape of its token, so shape and
 * checksum are checked on a miss only, which then costs no look-up when they are wrong.
 */
export function createVerifier({ lookup, requestId }: VerifierOptions): Verifier {
  let used: HeldKey[] = [];

  function decide(held: HeldKey | null, ask: Ask, id: string | undefined): Verdict {
    const judgement = judge(held === null ? null : held.key, ask, lookup.clock.wallMs);
    if (!judgement.ok) return refuse(judgement.reason, ask, judgement.key, id ?? requestId());
    if (held !== null) {
      if (held.usedAtMs === 0) used.push(held);
      held.usedAtMs = lookup.clock.wallMs;
    }
    return judgement;
  }

  async function miss(digest: string, ask: Ask, id: string | undefined): Promise<Verdict> {
    const held = await lookup.load(digest);
    lookup.clock.read(); // time passed while it was loaded: an expiry is judged by now
    return decide(held, ask, id);
  }

  return {
    verify(credentials, ask, id) {
      const token = tokenOf(credentials);
      if (token === null) return refuse("no_credentials", ask, null, id ?? requestId());
      const digest = digestToken(token);
      const held = lookup.find(digest);
      if (held !== undefined) return decide(held, ask, id);
      const reason = refusalByShape(token);
      if (reason !== null) return refuse(reason, ask, null, id ?? requestId());
      return miss(digest, ask, id);
    },
    drainUses() {
      const uses = used.map((held) => ({ keyId: held.key.id, atMs: held.usedAtMs }));
      for (const held of used) held.usedAtMs = 0;
      used = [];
      return uses;
    },
  };
}

/** Why a token that nobody holds needs no look-up, or `null` when it does. */
function refusalByShape(token: string): RefusalReason | null {
  const parts = parseToken(token);
  if (parts === null) return "malformed";
  return parts.prefix === "sk" || parts.prefix === "pk" ? null : "wrong_kind";
}

/**
 * The token in a bare string or in an `Authorization: Bearer` header (RFC 6750 §2.1; the scheme in any case, RFC 9110
 * §11.1); `null` when there is none, or another scheme.
 */
export function tokenOf(credentials: string | null | undefined): string | null {
  if (credentials === null || credentials === undefined || credentials === "") return null;
  if (credentials.startsWith("Bearer ")) return credentials.slice(7).trim() || null;
  const space = credentials.indexOf(" ");
  if (space === -1) return credentials;
  if (credentials.slice(0, space).toLowerCase() !== "bearer") return null;
  return credentials.slice(space + 1).trim() || null;
}
