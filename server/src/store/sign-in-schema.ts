/**
 * How better-auth's models and fields are named in our tables, to be spread into `betterAuth({...})`. Our migrations
 * own these tables; a test holds that better-auth's own `getMigrations()` has nothing to add to them.
 *
 * Its `user` is our `person` and its `account` (a way to sign in) our `credential`: an account is a customer here.
 */
export const SIGN_IN_SCHEMA = {
  user: {
    modelName: "person",
    fields: {
      emailVerified: "email_verified",
      createdAt: "created_at",
      updatedAt: "updated_at",
    },
  },
  session: {
    modelName: "session",
    fields: {
      userId: "person_id",
      expiresAt: "expires_at",
      ipAddress: "ip_address",
      userAgent: "user_agent",
      createdAt: "created_at",
      updatedAt: "updated_at",
    },
    additionalFields: {
      // The one account that it reaches; no request can set it.
      accountId: { type: "string", required: false, input: false, fieldName: "account_id" },
    },
  },
  account: {
    modelName: "credential",
    fields: {
      accountId: "provider_account_id",
      providerId: "provider_id",
      userId: "person_id",
      accessToken: "access_token",
      refreshToken: "refresh_token",
      idToken: "id_token",
      accessTokenExpiresAt: "access_token_expires_at",
      refreshTokenExpiresAt: "refresh_token_expires_at",
      createdAt: "created_at",
      updatedAt: "updated_at",
    },
  },
  verification: {
    modelName: "verification",
    fields: {
      expiresAt: "expires_at",
      createdAt: "created_at",
      updatedAt: "updated_at",
    },
  },
} as const;

/** The same for better-auth's two-factor plugin: `twoFactor({ schema: TWO_FACTOR_SCHEMA })`. */
export const TWO_FACTOR_SCHEMA = {
  user: {
    fields: { twoFactorEnabled: "two_factor_enabled" },
  },
  twoFactor: {
    modelName: "two_factor",
    fields: {
      backupCodes: "backup_codes",
      userId: "person_id",
      failedVerificationCount: "failed_verification_count",
      lockedUntil: "locked_until",
    },
  },
} as const;
