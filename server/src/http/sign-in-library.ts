import { type BetterAuthOptions, betterAuth } from "better-auth";
import type { Logger } from "pino";
import type { Ambient } from "../ambient.ts";
import { type Attempts, attemptCounter } from "../domain/attempts.ts";
import { PASSWORD_MAX, PASSWORD_MIN } from "../domain/setup.ts";
import { SIGN_IN_SCHEMA } from "../store/sign-in-schema.ts";

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

/** Sign-ins, right or wrong, that one address may try in a minute (an IPv6 caller counts by its /64). */
const SIGN_INS_PER_MINUTE = 10;

/** Addresses whose attempts are remembered. */
const ADDRESSES_MAX = 20_000;

/** A Kysely instance, as the library takes it. */
type LibraryDatabase = Extract<
  NonNullable<BetterAuthOptions["database"]>,
  { db: unknown; type: unknown }
>["db"];

/** What sign-in is built from. */
export interface SignInDeps {
  /** The store's own connections. */
  readonly db: LibraryDatabase;
  /** What they lead to; SQLite unless given. */
  readonly dbType?: "sqlite" | "postgres";
  readonly ambient: Ambient;
  readonly logger: Logger;
  /** Signs the session cookies. */
  readonly secret: string;
  /** The origin of LATCHKEY_PUBLIC_URL; `null` on loopback. */
  readonly publicUrl: string | null;
}

/**
 * Configures better-auth on our tables: e-mail and password, sessions in the database, nothing else.
 *
 * Its own address is a constant: every request it sees is made by sign-in.ts after our own checks of path, origin and
 * body, so that no header of a caller decides anything in there. `secrets` and `baseURL` are spelled out because it
 * would otherwise look for them in the environment.
 *
 * @returns The library and its address.
 */
export function openSignInLibrary(deps: SignInDeps) {
  const { ambient, secret, publicUrl } = deps;
  const baseURL = publicUrl ?? "http://127.0.0.1";
  const library = betterAuth({
    appName: "Latchkey",
    baseURL,
    basePath: SIGN_IN_PATH,
    secrets: [{ version: 1, value: secret }],
    database: { db: deps.db, type: deps.dbType ?? "sqlite" },
    user: SIGN_IN_SCHEMA.user,
    account: SIGN_IN_SCHEMA.account,
    verification: SIGN_IN_SCHEMA.verification,
    session: {
      ...SIGN_IN_SCHEMA.session,
      expiresIn: SESSION_SECONDS,
      updateAge: SESSION_UPDATE_SECONDS,
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN,
      maxPasswordLength: PASSWORD_MAX,
    },
    rateLimit: {
      enabled: true,
      window: 60,
      max: 300,
      customRules: { "/sign-in/email": { window: 60, max: SIGN_INS_PER_MINUTE } },
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
        generateId: ({ model }) => ambient.sortableId(ID_PREFIXES[model] ?? "row"),
      },
    },
    telemetry: { enabled: false },
    logger: { level: "debug", log: logTo(deps.logger) },
  });
  return { library, baseURL };
}

const ID_PREFIXES: Readonly<Record<string, string>> = {
  user: "per",
  session: "ses",
  account: "crd",
  verification: "ver",
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

/** The library's log in ours. What it passes beside its message may hold a person's data, so only errors' names go on. */
function logTo(logger: Logger) {
  return (level: "debug" | "info" | "warn" | "error", message: string, ...rest: unknown[]) => {
    const error = rest.find((value) => value instanceof Error);
    const about = error === undefined ? {} : { error: `${error.name}: ${error.message}` };
    logger[level]({ part: "sign-in", ...about }, message);
  };
}
