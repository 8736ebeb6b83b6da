import type { ProvisionedJson, Role } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** One of the person's sessions, without its token; times are ISO 8601 UTC. */
export interface SessionJson {
  id: string;
  created_at: string;
  last_used_at: string;
  expires_at: string;
  address: string | null;
  user_agent: string | null;
  /** Whether it is the one that asks. */
  current: boolean;
  /** Slug of the account that it is confined to, as those begun by a sign-in link are. */
  account: string | null;
}

/** What an invitation is about, for whoever holds its secret. */
export interface OpenedInvitationJson {
  account: { name: string };
  email: string;
  role: Role;
  invited_by: string;
  expires_at: string;
}

/** Where somebody belongs from now on. */
export interface AcceptedInvitationJson {
  account: { slug: string; name: string };
  role: Role;
  /** There is no session yet: the address has to be confirmed by the link that was just mailed to it. */
  confirmation_mailed?: true;
}

/** How an authenticator app is set up, and what stands in for it, this once. */
export interface TwoFactorEnrolmentJson {
  totp_uri: string;
  recovery_codes: string[];
}

const post = (path: readonly string[], body: unknown) => ({ method: "POST", path, body }) as const;

/** What whoever sits in front of a browser does about themselves: with the session's cookie, or with a link's secret. */
export function personCalls({ call }: Transport) {
  return {
    /** Where sign-up is open. Signs in at once, unless the address has to be confirmed by mail first. */
    signUp: (body: { name: string; email: string; password: string }, options?: CallOptions) =>
      call<{ confirmation_mailed?: true }>(post(["auth", "sign-up", "email"], body), options),
    /** Confirms an address with the secret that was mailed to it and the password that its sign-in was made with. */
    verifyEmail: (body: { token: string; password: string }, options?: CallOptions) =>
      call<unknown>(post(["auth", "verify-email"], body), options),
    /** Answers the same whether or not anybody has the address. */
    requestPasswordReset: (body: { email: string }, options?: CallOptions) =>
      call<unknown>(post(["auth", "request-password-reset"], body), options),
    /** Sets a password with the secret of a link, and ends every session. */
    resetPassword: (body: { token: string; password: string }, options?: CallOptions) =>
      call<unknown>(post(["auth", "reset-password"], body), options),
    /** Ends every other session. */
    changePassword: (body: { current_password: string; password: string }, options?: CallOptions) =>
      call<unknown>(post(["auth", "change-password"], body), options),
    /** Another name, in every account and from the next request on. */
    rename: (body: { name: string }, options?: CallOptions) =>
      call<{ person: { id: string; name: string; email: string } }>(
        post(["auth", "update-user"], body),
        options,
      ),
    sessions: (options?: CallOptions) =>
      call<{ entries: SessionJson[] }>({ method: "GET", path: ["auth", "list-sessions"] }, options),
    endSession: (id: string, options?: CallOptions) =>
      call<unknown>(post(["auth", "revoke-session"], { id }), options),
    endOtherSessions: (options?: CallOptions) =>
      call<unknown>(post(["auth", "revoke-other-sessions"], {}), options),
    /** Begins the second factor; it is on once {@link verifyCode} has seen a code of it. */
    enableTwoFactor: (body: { password: string }, options?: CallOptions) =>
      call<TwoFactorEnrolmentJson>(post(["auth", "two-factor", "enable"], body), options),
    /** The code of the moment: ends a sign-in that waits for it, or turns the second factor on. */
    verifyCode: (body: { code: string }, options?: CallOptions) =>
      call<unknown>(post(["auth", "two-factor", "verify-totp"], body), options),
    /** Ends a sign-in that waits with one of the recovery codes, which is spent then. */
    verifyRecoveryCode: (body: { code: string }, options?: CallOptions) =>
      call<unknown>(post(["auth", "two-factor", "verify-backup-code"], body), options),
    /** New recovery codes, this once; the old ones are dead. */
    newRecoveryCodes: (body: { password: string }, options?: CallOptions) =>
      call<{ recovery_codes: string[] }>(
        post(["auth", "two-factor", "generate-backup-codes"], body),
        options,
      ),
    disableTwoFactor: (body: { password: string }, options?: CallOptions) =>
      call<unknown>(post(["auth", "two-factor", "disable"], body), options),
    /** What the secret of an invitation invites to. */
    openInvitation: (body: { secret: string }, options?: CallOptions) =>
      call<OpenedInvitationJson>(post(["v1", "invitations", "open"], body), options),
    /** Joins, as whoever is signed in, or as somebody new with a name and a password. */
    acceptInvitation: (
      body: { secret: string; name?: string | undefined; password?: string | undefined },
      options?: CallOptions,
    ) => call<AcceptedInvitationJson>(post(["v1", "invitations", "accept"], body), options),
    /** Signs in with the secret of a sign-in link. */
    openSignInLink: (body: { secret: string }, options?: CallOptions) =>
      call<{ account: { slug: string } }>(post(["v1", "sign_in_links", "open"], body), options),
    /** Where sign-up is open: an account of one's own, with every token this once. */
    createAccount: (body: { name: string; slug: string }, options?: CallOptions) =>
      call<ProvisionedJson>(post(["v1", "me", "accounts"], body), options),
  };
}
