import { Failure } from "@latchkey/sdk/core";
import { isAPIError } from "better-auth/api";
import { nothing } from "./fields.ts";
import { isOwnOrigin } from "./origin.ts";
import { parseQuery } from "./parse.ts";
import { type Caller, carry, type DoorDeps, openDoor, type SignInRoutes } from "./sign-in-door.ts";
import { SIGN_IN_PATH } from "./sign-in-library.ts";
import { nameRoutes } from "./sign-in-names.ts";
import { passwordRoutes, WRONG_SIGN_IN } from "./sign-in-passwords.ts";
import { sessionRoutes } from "./sign-in-sessions.ts";
import { twoFactorRoutes } from "./sign-in-two-factor.ts";
import type { SignedIn } from "./signed-in.ts";

/** What became of a sign-in that was to begin. */
export interface Begun {
  /** `Set-Cookie` values of the new session; none when there is none yet. */
  readonly cookies: readonly string[];
  /** Whether there is none because the address has to be confirmed first, by a link that was mailed just now. */
  readonly confirmationMailed: boolean;
}

/** Dashboard sign-in: see {@link createSignIn}. */
export interface SignIn {
  /** Answers every request under `/auth`. @throws Failure for whatever is not a success. */
  handle(request: Request, caller: Caller): Promise<Response>;
  /** Whose session the cookies of a request are; `null` for none, ended or expired. Reads only. */
  session(headers: Headers): Promise<SignedIn | null>;
  /** `Set-Cookie` values that carry a session in use past its week; empty when there is nothing to renew. */
  renew(headers: Headers): Promise<readonly string[]>;
  /** Signs somebody in whose password was just set. */
  begin(credentials: { email: string; password: string }, caller: Caller): Promise<Begun>;
  /** Signs somebody in who came by a sign-in link, to that one account. @returns The `Set-Cookie` values of the session. */
  beginConfined(personId: string, accountId: string, caller: Caller): Promise<string[]>;
  /** Keeps what lets a person choose a new password, once. */
  keepResetToken(personId: string, token: string, expiresAtMs: number): Promise<void>;
}

/**
 * Puts our door before better-auth: an allow-list of routes, our origin rule, strict bodies, flat errors. The library
 * sees only requests that are built here from what was checked, and its answers leave without the session's token,
 * which belongs in the HttpOnly cookie alone.
 */
export function createSignIn(deps: DoorDeps): SignIn {
  const door = openDoor(deps);
  const { library } = door;
  const routes: SignInRoutes = {
    ...passwordRoutes(door),
    ...twoFactorRoutes(door),
    ...sessionRoutes(door),
    ...nameRoutes(door),
  };

  return {
    session: door.session,

    async handle(request, caller) {
      const { pathname, search } = new URL(request.url);
      const path = pathname.slice(SIGN_IN_PATH.length);
      const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
      if (route === undefined || !pathname.startsWith(SIGN_IN_PATH))
        throw new Failure("resource_missing", "There is nothing at this address.");
      if (request.method !== route.method)
        throw new Failure("method_not_allowed", `Use ${route.method}.`);
      if (route.method === "POST" && !isOwnOrigin(request.headers, deps.ownOrigin))
        throw new Failure(
          "access_denied",
          "The request does not come from the dashboard's origin.",
        );
      parseQuery(nothing, search);
      return route.answer(request, caller);
    },

    async renew(headers) {
      if (!headers.has("Cookie")) return [];
      const found = await library.api.getSession({ headers: carry(headers), returnHeaders: true });
      return found.response === null ? [] : found.headers.getSetCookie();
    },

    async begin(credentials, caller) {
      try {
        const { headers } = await door.signingIn({ email: credentials.email }, WRONG_SIGN_IN, () =>
          library.api.signInEmail({
            body: credentials,
            headers: carry(new Headers(), caller),
            returnHeaders: true,
          }),
        );
        return { cookies: headers.getSetCookie(), confirmationMailed: false };
      } catch (error) {
        // The library's word for an address that is to be confirmed; it has sent the mail by then.
        if (!isAPIError(error) || error.statusCode !== 403) throw error;
        return { cookies: [], confirmationMailed: true };
      }
    },

    async beginConfined(personId, accountId, caller) {
      const begun = await library.api.beginSession({
        body: { personId, accountId },
        headers: carry(new Headers(), caller),
        returnHeaders: true,
      });
      return begun.headers.getSetCookie();
    },

    async keepResetToken(personId, token, expiresAtMs) {
      const body = { personId, token, expiresAt: new Date(expiresAtMs) };
      await library.api.keepResetToken({ body });
    },
  };
}
