import { Failure, parseToken, type TokenPrefix } from "@latchkey/sdk/core";

/** Kinds of tokens that the management API takes, API keys excepted: those are for verifiers. */
export type AccessTokenPrefix = Exclude<TokenPrefix, "sk" | "pk">;

/** What a route can expect, in the words of its message. */
const EXPECTED = {
  st: "a service token (st_...)",
  vt: "a verifier token (vt_...)",
  ot: "an operator token (ot_...)",
  session: "a dashboard session",
} as const;

/** The scheme's name is case-insensitive (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([^ ]+) *$/i;

/** The token in an `Authorization` header; `null` for another scheme, for none and for no header. */
export function bearerOf(header: string | null): string | null {
  return header === null ? null : (BEARER.exec(header)?.[1] ?? null);
}

/**
 * The token in an `Authorization` header, judged by its shape alone, so that what cannot be a token of this kind costs
 * no look-up.
 *
 * @param expected The kind of token that the route takes; `session`: it takes none.
 * @throws Failure `authentication_required`, `invalid_token`, `incorrect_token_type`
 */
export function expectToken(
  header: string | null,
  expected: AccessTokenPrefix | "session",
): string {
  const token = bearerOf(header);
  if (token === null) throw unauthenticated(expected);
  const parts = parseToken(token);
  if (parts === null) throw new Failure("invalid_token", "The token is not valid.");
  if (parts.prefix !== expected)
    throw new Failure("incorrect_token_type", `This route expects ${EXPECTED[expected]}.`);
  return token;
}

/** Nobody has said who they are; the message says how to. */
export function unauthenticated(expected: AccessTokenPrefix | "session"): Failure {
  const how = expected === "session" ? "" : ", in the header 'Authorization: Bearer <token>'";
  return new Failure(
    "authentication_required",
    `No credentials were provided. This route expects ${EXPECTED[expected]}${how}.`,
  );
}
