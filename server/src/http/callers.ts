import {
  digestToken,
  Failure,
  parseToken,
  type TokenPrefix,
  type Verdict,
  type Verify,
} from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { type AccountPermission, roleMay, SERVICE_TOKEN_ROLE } from "../domain/permissions.ts";
import { SLUG_SHAPE } from "../domain/slugs.ts";
import type { AccessToken, AccountStore, Actor, Role, Store } from "../store/store.ts";
import { isOwnOrigin, type OwnOrigin } from "./origin.ts";

/** Who calls. `scope` tells callers apart whose idempotency keys must not meet: it names account and actor. */
export interface Caller {
  readonly scope: string;
}

/** Somebody who acts inside one account; `account` reaches nothing else. */
export interface AccountCaller extends Caller {
  readonly actor: Actor;
  readonly account: AccountStore;
}

/** The operator, by one of the operator's own tokens. */
export interface OperatorCaller extends Caller {
  readonly actor: Actor;
}

/** Somebody signed in to the dashboard, in whatever accounts. */
export interface PersonCaller extends Caller {
  readonly person: SignedIn;
}

/** Somebody with an API key, accepted or refused, or with a service token. */
export interface HolderCaller extends Caller {
  readonly holds:
    | { readonly verdict: Verdict }
    | { readonly serviceToken: AccessToken & { accountId: string } };
}

/** The person of a dashboard session. */
export interface SignedIn {
  readonly personId: string;
  readonly name: string;
  readonly email: string;
}

/** Finds the session of a request's cookie; `null` when there is none or it has ended. */
export type SessionOf = (headers: Headers) => Promise<SignedIn | null>;

export interface CallerDeps {
  readonly store: Store;
  readonly ambient: Ambient;
  readonly verify: Verify;
  readonly session: SessionOf;
  readonly ownOrigin: OwnOrigin;
  readonly logger: Logger;
}

/** Tells who is calling. Every method throws a Failure for those who may not. */
export interface Callers {
  inAccount(request: Request, needs: AccountPermission): Promise<AccountCaller>;
  operator(request: Request): Promise<OperatorCaller>;
  verifier(request: Request): Promise<Caller>;
  signedIn(request: Request): Promise<PersonCaller>;
  holder(request: Request, requestId: string): Promise<HolderCaller>;
}

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** A token's use is written at most this often, and for this many tokens at a time. */
const USE_WRITTEN_EVERY_MS = 60_000;
const USES_REMEMBERED = 1_000;

/** Makes the one place that reads credentials of the management API. */
export function createCallers(deps: CallerDeps): Callers {
  const { store, ambient } = deps;
  const useWrittenAtMs = new Map<string, number>();

  async function accessToken(header: string, expected: readonly Expected[]): Promise<AccessToken> {
    const token = await store.findToken(digestToken(bearerToken(header, expected)));
    if (token === undefined) throw new Failure("invalid_token", "The token is not valid.");
    await recordUse(token);
    return token;
  }

  /** That a use could not be written is no reason to refuse it. */
  async function recordUse({ id }: AccessToken): Promise<void> {
    const nowMs = ambient.nowMs();
    if (nowMs - (useWrittenAtMs.get(id) ?? 0) < USE_WRITTEN_EVERY_MS) return;
    if (useWrittenAtMs.size >= USES_REMEMBERED) useWrittenAtMs.clear();
    useWrittenAtMs.set(id, nowMs);
    try {
      await store.recordTokenUsed(id, nowMs);
    } catch (err) {
      deps.logger.warn({ err, tokenId: id }, "the use of a token was not recorded");
    }
  }

  /** A cookie travels with requests that its owner did not mean, so those that change something must be ours. */
  async function person(request: Request, expected: string): Promise<SignedIn> {
    if (!request.headers.has("Cookie")) throw unauthenticated(expected);
    if (!SAFE_METHODS.has(request.method) && !isOwnOrigin(request.headers, deps.ownOrigin))
      throw new Failure(
        "access_denied",
        "With a session, this has to come from the dashboard itself.",
      );
    const signedIn = await deps.session(request.headers);
    if (signedIn === null) throw unauthenticated(expected);
    return signedIn;
  }

  /** Membership is read for each request: no state of the session grants access. */
  async function member(request: Request): Promise<{ caller: AccountCaller; role: Role }> {
    const { personId, name } = await person(request, "a service token (st_...)");
    const slug = request.headers.get("Latchkey-Account");
    if (slug === null)
      throw new Failure("invalid_request", "The header Latchkey-Account has to name the account.");
    const membership = SLUG_SHAPE.test(slug)
      ? await store.findMembership(personId, slug)
      : undefined;
    if (membership === undefined)
      throw new Failure("resource_missing", "There is no such account.");
    const actor: Actor = { type: "person", id: personId, name };
    return { caller: accountCaller(membership.account.id, actor), role: membership.role };
  }

  function accountCaller(accountId: string, actor: Actor): AccountCaller {
    return { scope: `${accountId} ${actor.id}`, actor, account: store.account(accountId) };
  }

  async function serviceToken(header: string): Promise<AccessToken & { accountId: string }> {
    const { accountId, ...token } = await accessToken(header, ["st"]);
    if (accountId === null) throw new Failure("invalid_token", "The token is not valid.");
    return { ...token, accountId };
  }

  return {
    async inAccount(request, needs) {
      const header = request.headers.get("Authorization");
      if (header === null) {
        const { caller, role } = await member(request);
        if (!roleMay(role, needs))
          throw new Failure("access_denied", "Your role does not allow this.");
        return caller;
      }
      const { id, name, accountId } = await serviceToken(header);
      if (!roleMay(SERVICE_TOKEN_ROLE, needs))
        throw new Failure("access_denied", "A service token does not allow this.");
      return accountCaller(accountId, { type: "service_token", id, name });
    },

    async operator(request) {
      const token = await accessToken(authorization(request, "ot"), ["ot"]);
      const actor: Actor = { type: "operator", id: token.id, name: token.name };
      return { scope: token.id, actor };
    },

    async verifier(request) {
      return { scope: (await accessToken(authorization(request, "vt"), ["vt"])).id };
    },

    async signedIn(request) {
      const header = request.headers.get("Authorization");
      if (header !== null) bearerToken(header, []);
      const signedIn = await person(request, EXPECTED.session);
      return { scope: signedIn.personId, person: signedIn };
    },

    async holder(request, requestId) {
      const header = request.headers.get("Authorization");
      const token = header === null ? null : (BEARER.exec(header)?.[1] ?? null);
      if (header !== null && token !== null && parseToken(token)?.prefix === "st") {
        const found = await serviceToken(header);
        return { scope: found.id, holds: { serviceToken: found } };
      }
      const verdict = await deps.verify(token, { types: ["secret", "public"] }, requestId);
      return { scope: "", holds: { verdict } };
    },
  };
}

type Expected = Exclude<TokenPrefix, "sk" | "pk">;

const EXPECTED = {
  st: "a service token (st_...)",
  vt: "a verifier token (vt_...)",
  ot: "an operator token (ot_...)",
  session: "a dashboard session",
} as const;

/** The scheme's name is case-insensitive (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([^ ]+) *$/i;

function authorization(request: Request, expected: Expected): string {
  const header = request.headers.get("Authorization");
  if (header === null) throw unauthenticated(EXPECTED[expected]);
  return header;
}

/**
 * Judges a header by its shape alone, so that a string that cannot be a token of this kind costs no look-up.
 *
 * @param expected Kinds of token that the route takes; none: it takes a session only.
 */
function bearerToken(header: string, expected: readonly Expected[]): string {
  const names =
    expected.length === 0 ? EXPECTED.session : expected.map((kind) => EXPECTED[kind]).join(" or ");
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw unauthenticated(names);
  const parts = parseToken(token);
  if (parts === null) throw new Failure("invalid_token", "The token is not valid.");
  if (!expected.some((kind) => kind === parts.prefix))
    throw new Failure("incorrect_token_type", `This route expects ${names}.`);
  return token;
}

function unauthenticated(expected: string): Failure {
  return new Failure(
    "authentication_required",
    `No credentials were provided. This route expects ${expected}${
      expected === EXPECTED.session ? "" : ", in the header 'Authorization: Bearer <token>'"
    }.`,
  );
}
