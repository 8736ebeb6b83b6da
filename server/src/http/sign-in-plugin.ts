import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { verifyJWT } from "better-auth/crypto";
import { z } from "zod";

/** How long a code of an authenticator can be right: its own half minute and one on either side. */
const CODE_LIVES_MS = 90_000;

/** The cookie of a sign-in that waits for its second factor, as the library names it after the prefix. */
const WAITING_COOKIE = "two_factor";

/** What a link that confirms an address says, under our signature. */
const CONFIRMATION = z.object({ email: z.string(), userId: z.string() });

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

    /** Whose address a token confirms; `null` for one that is unknown or expired. */
    confirmingPerson: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ token: z.string() }) },
      async (ctx) => {
        const said = CONFIRMATION.safeParse(await verifyJWT(ctx.body.token, ctx.context.secret));
        const user = said.success
          ? await ctx.context.internalAdapter.findUserById(said.data.userId)
          : null;
        if (user === null || user.email !== said.data?.email) return { person: null };
        return { person: { personId: user.id, name: user.name, email: user.email } };
      },
    ),

    /** Whether a password is somebody's. Costs a hash also for those who have none. */
    judgePassword: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ personId: z.string(), password: z.string() }) },
      async (ctx) => {
        const { personId, password } = ctx.body;
        const sorts = await ctx.context.internalAdapter.findAccounts(personId);
        const hash = sorts.find(({ providerId }) => providerId === "credential")?.password;
        if (hash) return { isRight: await ctx.context.password.verify({ hash, password }) };
        await ctx.context.password.hash(password);
        return { isRight: false };
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
