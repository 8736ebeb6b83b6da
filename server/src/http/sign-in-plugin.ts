import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { verifyJWT } from "better-auth/crypto";
import { z } from "zod";

/** How long a code of an authenticator can be right: its own half minute and one on either side. */
const CODE_LIVES_MS = 90_000;

/** The cookie of a sign-in that waits for its second factor, as the library names it after the prefix. */
const WAITING_COOKIE = "two_factor";

const CONFIRMING = z.object({ email: z.string() });

/** The name under which the library keeps, hashed, what resets a password. */
const resetName = (token: string): string => `reset-password:${token}`;

/**
 * What sign-in needs of the library besides its routes. None of these has a path: we call them, and no request can.
 */
export const ownEndpoints = {
  id: "latchkey",
  endpoints: {
    /** Begins a session of somebody who was proved to be who they are: of one account, when one is named. */
    beginSession: createAuthEndpoint.serverOnly(
      {
        method: "POST",
        body: z.object({ personId: z.string(), accountId: z.string().nullable() }),
      },
      async (ctx) => {
        const { internalAdapter } = ctx.context;
        const { personId, accountId } = ctx.body;
        const user = await internalAdapter.findUserById(personId);
        if (user === null) throw new Error("a session was to begin of a person who is not there");
        const session = await internalAdapter.createSession(user.id, false, { accountId }, true);
        await setSessionCookie(ctx, { session, user });
        return {};
      },
    ),

    /** Whose second factor the cookies of a request wait for; `null` for nobody's, or no more. */
    waitingPerson: createAuthEndpoint.serverOnly(
      { method: "POST", requireHeaders: true },
      async (ctx) => {
        const { name } = ctx.context.createAuthCookie(WAITING_COOKIE);
        const identifier = await ctx.getSignedCookie(name, ctx.context.secret);
        return { personId: identifier ? await findKept(ctx.context, identifier) : null };
      },
    ),

    /** Takes an authenticator's code: whoever comes second with it is told that it was used. */
    takeCode: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ personId: z.string(), code: z.string() }) },
      async (ctx) => ({
        taken: await ctx.context.internalAdapter.reserveVerificationValue({
          identifier: `code ${ctx.body.personId} ${ctx.body.code}`,
          value: "used",
          expiresAt: new Date(Date.now() + CODE_LIVES_MS),
        }),
      }),
    ),

    /** Keeps a token that resets somebody's password, as the library keeps those that it mails. */
    keepResetToken: createAuthEndpoint.serverOnly(
      {
        method: "POST",
        body: z.object({ personId: z.string(), token: z.string(), expiresAt: z.date() }),
      },
      async (ctx) => {
        const { personId, token, expiresAt } = ctx.body;
        const identifier = resetName(token);
        const kept = { identifier, value: personId, expiresAt };
        await ctx.context.internalAdapter.createVerificationValue(kept);
        return {};
      },
    ),

    /** Whose address a mailed token confirms that is not confirmed yet; `null` for nobody's, or a token that is none. */
    unconfirmedPerson: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ token: z.string() }) },
      async (ctx) => {
        const said = await verifyJWT(ctx.body.token, ctx.context.secret);
        const { data } = CONFIRMING.safeParse(said);
        if (data === undefined) return { person: null };
        const found = await ctx.context.internalAdapter.findUserByEmail(data.email);
        if (found === null || found.user.emailVerified) return { person: null };
        return { person: { personId: found.user.id, name: found.user.name } };
      },
    ),

    /** Whose password a token resets; `null` for one that is unknown, used or expired. */
    resetPerson: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ token: z.string() }) },
      async (ctx) => {
        const personId = await findKept(ctx.context, resetName(ctx.body.token));
        const user =
          personId === null ? null : await ctx.context.internalAdapter.findUserById(personId);
        return { person: user === null ? null : { personId: user.id, name: user.name } };
      },
    ),
  },
} satisfies BetterAuthPlugin;

interface Kept {
  readonly internalAdapter: {
    findVerificationValue(name: string): Promise<{ value: string; expiresAt: Date } | null>;
  };
}

async function findKept({ internalAdapter }: Kept, identifier: string): Promise<string | null> {
  const kept = await internalAdapter.findVerificationValue(identifier);
  return kept === null || kept.expiresAt.getTime() <= Date.now() ? null : kept.value;
}
