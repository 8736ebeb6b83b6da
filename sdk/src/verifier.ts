import type { HeldKey } from "./held-key.ts";
import { type Ask, judge } from "./judge.ts";
import type { Lookup } from "./lease/lookup.ts";
import type { Tally } from "./tally.ts";
import { digestToken, parseToken } from "./token.ts";
import type { Caller } from "./usage.ts";
import { type RefusalReason, type Refused, refuse, type Verdict } from "./verdict.ts";

/**
 * Verifies the credentials of one request.
 *
 * @param credentials The token, or the whole `Authorization` header; `null` when the request had none.
 * @param requestId Put into a refusal; made anew for each refusal when absent.
 * @param caller Who sent the request, for the owner of the key to see; nothing is decided by it.
 * @returns The verdict at once when the key is warm, else a promise of it.
 * @throws Failure `verification_unavailable`, as a rejection, when it cannot be decided.
 */
export type Verify = (
  credentials: string | null | undefined,
  ask: Ask,
  requestId?: string,
  caller?: Caller,
) => Verdict | Promise<Verdict>;

export interface Verifier {
  readonly verify: Verify;
}

export interface VerifierOptions {
  readonly lookup: Lookup;
  readonly tally: Pick<Tally, "accepted" | "refused">;
  /** Makes the id of a refusal whose request has none. */
  requestId(): string;
}

/**
 * The hot path: header, digest, leased look-up, judge, tally. A warm digest proves the shape of its token, so shape and
 * checksum are checked on a miss only, which then costs no look-up when they are wrong.
 */
export function createVerifier({ lookup, tally, requestId }: VerifierOptions): Verifier {
  function decide(held: HeldKey | null, ask: Ask, id?: string, caller?: Caller): Verdict {
    const { wallMs } = lookup.clock;
    const judgement = judge(held === null ? null : held.key, ask, wallMs);
    if (!judgement.ok) return refused(judgement.reason, held, ask, id, caller);
    if (held !== null) tally.accepted(held, wallMs, caller);
    return judgement;
  }

  function refused(
    reason: RefusalReason,
    held: HeldKey | null,
    ask: Ask,
    id: string | undefined,
    caller: Caller | undefined,
  ): Refused {
    const verdict = refuse(reason, ask, held === null ? null : held.key, id ?? requestId());
    tally.refused(verdict, held, ask, lookup.clock.wallMs, caller);
    return verdict;
  }

  async function miss(
    digest: string,
    ask: Ask,
    id: string | undefined,
    caller: Caller | undefined,
  ): Promise<Verdict> {
    const held = await lookup.load(digest);
    lookup.clock.read(); // time passed while it was loaded: an expiry is judged by now
    return decide(held, ask, id, caller);
  }

  function verify(
    credentials: string | null | undefined,
    ask: Ask,
    id?: string,
    caller?: Caller,
  ): Verdict | Promise<Verdict> {
    const token = tokenOf(credentials);
    if (token === null) {
      lookup.clock.read();
      return refused("no_credentials", null, ask, id, caller);
    }
    const digest = digestToken(token);
    const held = lookup.find(digest);
    if (held !== undefined) return decide(held, ask, id, caller);
    const reason = refusalByShape(token);
    if (reason !== null) return refused(reason, null, ask, id, caller);
    return miss(digest, ask, id, caller);
  }

  return { verify };
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
