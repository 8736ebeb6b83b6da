import {
  type Ask,
  digestToken,
  Failure,
  parseToken,
  type Verdict,
  type Verify,
} from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { type AccountPermission, roleMay, SERVICE_TOKEN_ROLE } from "../domain/permissions.ts";
import { SLUG_SHAPE } from "../domain/slugs.ts";
import type { AccessToken, AccountStore, Actor, Role, Store } from "../store/store.ts";
import { type AccessTokenPrefix, bearerOf, expectToken, unauthenticated } from "./bearer.ts";
import type { HttpBindings } from "./front.ts";
import { isOwnOrigin, type OwnOrigin } from "./origin.ts";
import { isoTime } from "./shapes.ts";
import type { SignedIn } from "./signed-in.ts";

/** Who calls. `scope` tells callers apart whose idempotency keys must not meet: it names account and actor. */
export interface Caller {
  readonly scope: string;
}

/** Somebody who acts inside one account; `account` reaches nothing else. */
export interface AccountCaller extends Caller {
  readonly actor: Actor;
  readonly account: AccountStore;
  /** Whose session it is; `null` for a program. */
  readonly person: SignedIn | null;
}

/** A program that acts inside one account, by a service token of it. */
export interface ServiceTokenCaller extends AccountCaller {
  readonly token: AccessToken;
}

/** The operator, by one of the operator's own tokens or in person. */
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

/** Finds the session of a request's cookie; `null` when there is none or it has ended. */
type SessionOf = (headers: Headers) => Promise<SignedIn | null>;

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
  /** The same, by service token alone. */
  serviceToken(request: Request, needs: AccountPermission): Promise<ServiceTokenCaller>;
  operator(request: Request): Promise<OperatorCaller>;
  /** The same, or a session of the operator's, which need name no account. */
  operatorInPerson(request: Request): Promise<OperatorCaller>;
  verifier(request: Request): Promise<Caller>;
  signedIn(request: Request): Promise<PersonCaller>;
  /** The same, unless a sign-in link began the session. */
  themselves(request: Request): Promise<PersonCaller>;
  holder(request: Request, from: HttpBindings): Promise<HolderCaller>;
}

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** A token's use is written at most this often, and remembered for this many tokens at a time. */
const USE_WRITTEN_EVERY_MS = 60_000;
const USES_REMEMBERED = 1_000;

const ANY_TYPE: Ask = { types: ["secret", "public"] };

/** Makes the one place that reads credentials of the management API. */
export function createCallers(deps: CallerDeps): Callers {
  const findToken = tokenFinder(deps);
  const findPerson = personFinder(deps);

  function accountCaller(
    accountId: string,
    actor: Actor,
    person: SignedIn | null = null,
  ): AccountCaller {
    const account = deps.store.account(accountId);
    return { scope: `${accountId} ${actor.id}`, actor, account, person };
  }

  async function serviceToken(header: string | null): Promise<AccessToken & { accountId: string }> {
    const { accountId, ...token } = await findToken(header, "st");
    if (accountId === null) throw new Failure("invalid_token", "The token is not valid.");
    return { ...token, accountId };
  }

  /** Membership is read for each request: no state of the session grants access. */
  async function member(request: Request): Promise<{ caller: AccountCaller; role: Role }> {
    const person = await findPerson(request, "st");
    const { personId, name, confinedTo } = person;
    const slug = request.headers.get("Latchkey-Account");
    if (slug === null)
      throw new Failure("invalid_request", "The header Latchkey-Account has to name the account.");
    const found = SLUG_SHAPE.test(slug) && (await deps.store.findMembership(personId, slug));
    if (!found || (confinedTo !== null && confinedTo !== found.account.id))
      throw new Failure("resource_missing", "There is no such account.");
    if (found.twoFactorRequired && !isTwoFactor(person))
      throw new Failure("two_factor_required", TWO_FACTOR_MESSAGE);
    const actor: Actor = { type: "person", id: personId, name };
    return { caller: accountCaller(found.account.id, actor, person), role: found.role };
  }

  async function tokenCaller(
    header: string | null,
    needs: AccountPermission,
  ): Promise<ServiceTokenCaller> {
    const token = await serviceToken(header);
    if (!roleMay(SERVICE_TOKEN_ROLE, needs))
      throw new Failure("access_denied", "A service token does not allow this.");
    const { id, name, accountId } = token;
    return { ...accountCaller(accountId, { type: "service_token", id, name }), token };
  }

  async function operator(request: Request): Promise<OperatorCaller> {
    const { id, name } = await findToken(request.headers.get("Authorization"), "ot");
    return { scope: id, actor: { type: "operator", id, name } };
  }

  async function signedIn(request: Request): Promise<PersonCaller> {
    const header = request.headers.get("Authorization");
    if (header !== null) expectToken(header, "session");
    const person = await findPerson(request, "session");
    return { scope: person.personId, person };
  }

  return {
    operator,
    signedIn,

    async themselves(request) {
      const caller = await signedIn(request);
      unconfined(caller.person);
      return caller;
    },

    async operatorInPerson(request) {
      if (request.headers.has("Authorization")) return operator(request);
      const { personId, name } = unconfined(await findPerson(request, "ot"));
      // Read for each request, as memberships are.
      if (!(await deps.store.isOperator(personId)))
        throw new Failure("access_denied", "Only the operator may do this.");
      return { scope: personId, actor: { type: "person", id: personId, name } };
    },

    async inAccount(request, needs) {
      const header = request.headers.get("Authorization");
      if (header !== null) return tokenCaller(header, needs);
      const { caller, role } = await member(request);
      if (!roleMay(role, needs))
        throw new Failure("access_denied", "Your role does not allow this.");
      return caller;
    },

    serviceToken: (request, needs) => tokenCaller(request.headers.get("Authorization"), needs),

    async verifier(request) {
      return { scope: (await findToken(request.headers.get("Authorization"), "vt")).id };
    },

    async holder(request, { requestId, ...from }) {
      const header = request.headers.get("Authorization");
      const token = bearerOf(header);
      if (header !== null && token !== null && parseToken(token)?.prefix === "st") {
        const found = await serviceToken(header);
        return { scope: found.id, holds: { serviceToken: found } };
      }
      const verdict = await deps.verify(token, ANY_TYPE, requestId, from);
      return { scope: "", holds: { verdict } };
    },
  };
}

/** Whether the session stands on a second factor; a sign-in link proves none. */
export function isTwoFactor({ twoFactor, confinedTo }: SignedIn): boolean {
  return twoFactor && confinedTo === null;
}

/** @throws Failure `access_denied` for a session that a sign-in link began. */
export function unconfined(person: SignedIn): SignedIn {
  if (person.confinedTo === null) return person;
  throw new Failure(
    "access_denied",
    "You came by a sign-in link, which reaches one account alone.",
  );
}

const TWO_FACTOR_MESSAGE =
  "This account is for people with a second factor: sign in with your password and turn it on.";

/** Finds the token of an `Authorization` header, unless it has expired, and remembers that it was used. */
function tokenFinder({ store, ambient, logger }: CallerDeps) {
  const useWrittenAtMs = new Map<string, number>();

  /** That a use could not be written is no reason to refuse it. */
  async function recordUse({ id }: AccessToken): Promise<void> {
    const nowMs = ambient.nowMs();
    if (Math.abs(nowMs - (useWrittenAtMs.get(id) ?? 0)) < USE_WRITTEN_EVERY_MS) return;
    if (useWrittenAtMs.size >= USES_REMEMBERED) useWrittenAtMs.clear();
    useWrittenAtMs.set(id, nowMs);
    try {
      await store.recordTokenUsed(id, nowMs);
    } catch (err) {
      logger.warn({ err, tokenId: id }, "the use of a token was not recorded");
    }
  }

  return async (header: string | null, expected: AccessTokenPrefix): Promise<AccessToken> => {
    const token = await store.findToken(digestToken(expectToken(header, expected)));
    if (token === undefined) throw new Failure("invalid_token", "The token is not valid.");
    if (token.expiresAtMs !== null && token.expiresAtMs <= ambient.nowMs())
      throw new Failure("invalid_token", `The token expired at ${isoTime(token.expiresAtMs)}.`);
    void recordUse(token); // the caller need not wait for it
    return token;
  };
}

/**
 * Finds the person of a request's session. A cookie travels with requests that its owner did not mean, so those that
 * change something must come from a page of ours.
 */
function personFinder({ session, ownOrigin }: CallerDeps) {
  return async (request: Request, expected: "st" | "ot" | "session"): Promise<SignedIn> => {
    if (!request.headers.has("Cookie")) throw unauthenticated(expected);
    if (!SAFE_METHODS.has(request.method) && !isOwnOrigin(request.headers, ownOrigin))
      throw new Failure(
        "access_denied",
        "With a session, this has to come from the dashboard itself.",
      );
    const signedIn = await session(request.headers);
    if (signedIn === null) throw unauthenticated(expected);
    return signedIn;
  };
}
