import { type BetterAuthOptions, betterAuth } from "better-auth";
import { twoFactor } from "better-auth/plugins/two-factor";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { type Attempts, attemptCounter } from "../domain/attempts.ts";
import { PASSWORD_MAX, PASSWORD_MIN } from "../domain/setup.ts";
import { SIGN_IN_SCHEMA, TWO_FACTOR_SCHEMA } from "../store/sign-in-schema.ts";
import { GroundsChanged } from "../store/store.ts";
import type { PasswordHashes } from "./password-hashes.ts";
import { CONFIRMATION_MINUTES, RESET_MINUTES, type SignInMails } from "./sign-in-mails.ts";
import { ownEndpoints } from "./sign-in-plugin.ts";

/** Where sign-in lives on our origin. */
export const SIGN_IN_PATH = "/auth";

/** A session ends a week after its last use; use is noted once a day. */
const SESSION_SECONDS = 7 * 24 * 3600;
const SESSION_UPDATE_SECONDS = 24 * 3600;

/**
 * The header in which the library reads the caller's address. Every request we hand it is made by us, so what a caller
 * sends under this name goes nowhere.
 */
export const ADDRESS_HEADER = "x-latchkey-caller";

/** Calls of each kind, right or wrong, that one address may make in a minute (an IPv6 caller counts by its /64). */
const TRIES_PER_MINUTE = 10;

/** Where something can be guessed, or made to work. */
const GUARDED_PATHS = [
  "/sign-in/email",
  "/sign-up/email",
  "/request-password-reset",
  "/reset-password",
  "/verify-email",
  "/change-password",
  "/update-user",
  "/two-factor/enable",
  "/two-factor/disable",
  "/two-factor/verify-totp",
  "/two-factor/verify-backup-code",
  "/two-factor/generate-backup-codes",
] as const;

/** Wrong codes in a row after which a person's second factor is locked on every node, and for how long. */
const CODES_MAX = 10;
const LOCKED_SECONDS = 15 * 60;

/** Bytes of a link's secret. */
const LINK_BYTES = 24;

/** Addresses whose attempts are remembered. */
const ADDRESSES_MAX = 20_000;

/** A Kysely instance, as the library takes it. */
type LibraryDatabase = Extract<
  NonNullable<BetterAuthOptions["database"]>,
  { db: unknown; type: unknown }
>["db"];

/** What sign-in is built from. */
export interface SignInDeps {
  /** On which what the library writes in a joint deed takes part in that. */
  readonly db: LibraryDatabase;
  /** What they lead to; SQLite unless given. */
  readonly dbType?: "sqlite" | "postgres";
  readonly ambient: Ambient;
  readonly logger: Logger;
  /** Signs the session cookies. */
  readonly secret: string;
  /** The origin of LATCHKEY_PUBLIC_URL; `null` on loopback. */
  readonly publicUrl: string | null;
  /** Whether anybody may sign up; nobody unless given. */
  readonly signUpOpen?: boolean;
  /** `null` or absent where no mail is sent. Their links lead to `publicUrl`, which settings with mail have. */
  readonly mails?: SignInMails | null;
  readonly passwords: PasswordHashes;
}

/**
 * Configures better-auth on our tables: e-mail and password, a second factor, sessions in the database, nothing else.
 * What it keeps of links that reset a password is hashed; secrets and recovery codes of second factors are encrypted.
 *
 * Its own address is a constant: every request it sees is made by sign-in.ts after our own checks of path, origin and
 * body, so that no header of a caller decides anything in there. `secrets` and `baseURL` are spelled out because it
 * would otherwise look for them in the environment.
 *
 * @returns The library and its address.
 */
export function openSignInLibrary(deps: SignInDeps) {
  const { ambient, secret, publicUrl, signUpOpen = false, mails = null } = deps;
  const baseURL = publicUrl ?? "http://127.0.0.1";
  const library = betterAuth({
    appName: "Latchkey",
    baseURL,
    basePath: SIGN_IN_PATH,
    secrets: [{ version: 1, value: secret }],
    database: { db: deps.db, type: deps.dbType ?? "sqlite" },
    user: SIGN_IN_SCHEMA.user,
    account: SIGN_IN_SCHEMA.account,
    verification: {
      ...SIGN_IN_SCHEMA.verification,
      storeIdentifier: "hashed",
      // Ours is swept each hour. The library would do it whenever it looks one up, and write before it hashes a password.
      disableCleanup: true,
    },
    session: {
      ...SIGN_IN_SCHEMA.session,
      expiresIn: SESSION_SECONDS,
      updateAge: SESSION_UPDATE_SECONDS,
      // What is sensitive asks for the password; a list of sessions is not closed to those of yesterday.
      freshAge: 0,
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: !signUpOpen,
      requireEmailVerification: signUpOpen && mails !== null,
      minPasswordLength: PASSWORD_MIN,
      maxPasswordLength: PASSWORD_MAX,
      resetPasswordTokenExpiresIn: RESET_MINUTES * 60,
      revokeSessionsOnPasswordReset: true,
      password: deps.passwords,
      ...(mails === null
        ? {}
        : {
            async sendResetPassword({ user, token }) {
              mails.resetPassword({ to: user.email, origin: baseURL, token });
            },
            async onExistingUserSignUp({ user }): Promise<void> {
              const mail = { to: user.email, origin: baseURL };
              if (user.emailVerified) return mails.signedUpAgain(mail);
              // Whoever signed up before may have been a stranger, whose password no reader of this mail knows.
              const token = Buffer.from(ambient.randomBytes(LINK_BYTES)).toString("base64url");
              const expiresAt = new Date(ambient.nowMs() + RESET_MINUTES * 60_000);
              const body = { personId: user.id, token, expiresAt };
              await library.api.keepResetToken({ body });
              mails.signedUpUnproved({ ...mail, token });
            },
          }),
    },
    ...(mails === null
      ? {}
      : {
          emailVerification: {
            sendOnSignIn: true,
            expiresIn: CONFIRMATION_MINUTES * 60,
            async sendVerificationEmail({ user, token }) {
              mails.confirmAddress({ to: user.email, origin: baseURL, token });
            },
          },
        }),
    plugins: [
      twoFactor({
        schema: TWO_FACTOR_SCHEMA,
        accountLockout: { maxFailedAttempts: CODES_MAX, durationSeconds: LOCKED_SECONDS },
      }),
      ownEndpoints,
    ],
    rateLimit: {
      enabled: true,
      window: 60,
      max: 300,
      customRules: Object.fromEntries(
        GUARDED_PATHS.map((path) => [path, { window: 60, max: TRIES_PER_MINUTE }]),
      ),
      customStorage: attemptStorage(attemptCounter(ADDRESSES_MAX), ambient),
    },
    advanced: {
      cookiePrefix: "latchkey",
      useSecureCookies: baseURL.startsWith("https:"),
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/" },
      disableCSRFCheck: false,
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER], ipv6Subnet: 64 },
      database: {
        // Migrations are ours. The library would look at the tables in the first deed after a start, by a statement that
        // begins its transaction, and hash a password within that.
        validateSchema: false,
        generateId: ({ model }) => ambient.sortableId(ID_PREFIXES[model] ?? "row"),
      },
    },
    telemetry: { enabled: false },
    // What is no refusal, e.g. a database that is away, is told and logged as everywhere.
    onAPIError: { throw: true },
    logger: { level: "debug", log: logTo(deps.logger) },
  });
  return { library, baseURL };
}

const ID_PREFIXES: Readonly<Record<string, string>> = {
  user: "per",
  session: "ses",
  account: "crd",
  verification: "ver",
  twoFactor: "tfa",
};

/** Counts attempts in this process, on our clock. */
function attemptStorage(attempts: Attempts, ambient: Ambient) {
  return {
    async consume(key: string, rule: { window: number; max: number }) {
      const waitMs = attempts.take(
        key,
        { max: rule.max, windowMs: rule.window * 1000 },
        ambient.nowMs(),
      );
      return { allowed: waitMs === 0, retryAfter: waitMs === 0 ? null : Math.ceil(waitMs / 1000) };
    },
  };
}

/**
 * The library's log in ours. What it passes beside its message may hold a person's data, so only errors' names go on; and
 * of the message itself no e-mail address.
 */
function logTo(logger: Logger) {
  return (level: "debug" | "info" | "warn" | "error", ...said: unknown[]) => {
    // What the library calls a message is an error now and then.
    const message = said.find((value) => typeof value === "string") ?? "sign-in failed";
    const error = said.find((value) => value instanceof Error);
    // Somebody was quicker, which the door answers.
    if (error instanceof GroundsChanged) return;
    const about = error === undefined ? {} : { error: `${error.name}: ${error.message}` };
    logger[level]({ part: "sign-in", ...about }, message.replace(/\S+@\S+/g, "…"));
  };
}
