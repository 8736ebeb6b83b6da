import { mintToken, type World } from "./world.ts";

/** A request that must not pass, and what its caller is told: the table of design §5 and docs/errors.md. */
export interface RefusedCase {
  readonly name: string;
  /** The `Authorization` headers, made in a world. */
  authorization(world: World): readonly string[];
  readonly status: number;
  readonly code: string;
  readonly message: string | RegExp;
  /** Whether a look-up is spent on it. */
  readonly isLookedUp: boolean;
}

/** The routes of the suite take secret keys of `production`. */
const EXPECTS = "This route expects a secret key (sk_...).";
const NO_KEY = "No API key was provided. Send it in the header 'Authorization: Bearer <API key>'.";
const INVALID = "The API key you provided is invalid.";

const anonymous = (name: string, ...authorization: readonly string[]): RefusedCase => ({
  name,
  authorization: () => authorization,
  status: 401,
  code: "authentication_required",
  message: NO_KEY,
  isLookedUp: false,
});

const invalid = (
  name: string,
  isLookedUp: boolean,
  authorization: RefusedCase["authorization"],
): RefusedCase => ({
  name,
  authorization,
  status: 401,
  code: "api_key_missing",
  message: INVALID,
  isLookedUp,
});

const otherKind = (prefix: "st" | "vt" | "ot"): RefusedCase => ({
  name: `a token ${prefix}_… in place of an API key`,
  authorization: () => [`Bearer ${mintToken(prefix)}`],
  status: 401,
  code: "incorrect_token_type",
  message: `The token you provided is not an API key. ${EXPECTS}`,
  isLookedUp: false,
});

const good = (world: World): string => `Bearer ${world.issue().token}`;

export const REFUSALS: readonly RefusedCase[] = [
  anonymous("no Authorization header"),
  anonymous("an empty header", ""),
  anonymous("a scheme without a token", "Bearer "),
  anonymous("another scheme", "Basic YWRhOmxvdmVsYWNl"),
  {
    ...anonymous("a good token without its scheme"),
    authorization: (world) => [world.issue().token],
  },
  invalid("a malformed token", false, () => ["Bearer sk_short"]),
  invalid("a token with a wrong checksum", false, () => [
    `Bearer ${mintToken("sk").slice(0, -6)}000000`,
  ]),
  invalid("an unknown token", true, () => [`Bearer ${mintToken("sk")}`]),
  invalid("a revoked key", true, (world) => [
    `Bearer ${world.issue({ revokedAtMs: 1_700_000_000_000 }).token}`,
  ]),
  invalid("two keys in one header", false, (world) => [`${good(world)}, ${good(world)}`]),
  {
    name: "an expired key",
    authorization: (world) => [`Bearer ${world.issue({ expiresAtMs: 1_700_000_000_000 }).token}`],
    status: 401,
    code: "api_key_expired",
    message: "The API key you provided expired at 2023-11-14T22:13:20.000Z.",
    isLookedUp: true,
  },
  {
    name: "a public key where secret ones belong",
    authorization: (world) => [`Bearer ${world.issue({ type: "public" }).token}`],
    status: 403,
    code: "incorrect_token_type",
    message: `The API key you provided is a public key. ${EXPECTS}`,
    isLookedUp: true,
  },
  otherKind("st"),
  otherKind("vt"),
  otherKind("ot"),
  {
    name: "a key of another environment",
    authorization: (world) => [
      `Bearer ${world.issue({ environment: { id: "env_2", slug: "development" } }).token}`,
    ],
    status: 403,
    code: "environment_mismatch",
    message: "The API key you provided belongs to another environment than this route serves.",
    isLookedUp: true,
  },
];

/** Two headers of which one, or either, would pass alone. */
export const TWO_HEADERS: readonly Pick<RefusedCase, "name" | "authorization">[] = [
  { name: "two good keys", authorization: (world) => [good(world), good(world)] },
  { name: "a good key and nothing", authorization: (world) => [good(world), ""] },
  { name: "nothing and a good key", authorization: (world) => ["", good(world)] },
  { name: "a good key and a bad one", authorization: (world) => [good(world), "Bearer sk_no"] },
  { name: "a good key and another scheme", authorization: (world) => [good(world), "Basic YTpi"] },
];
