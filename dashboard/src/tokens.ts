import type { ServiceTokenJson, TokenJson } from "@latchkey/sdk/client";

/** A service token of the account, told apart from the operator's tokens. */
export type ServiceToken = ServiceTokenJson & { kind: "service" };

/** A token of either list: the operator's, or the account's. */
export type Token = TokenJson | ServiceToken;

export const serviceToken = (token: ServiceTokenJson): ServiceToken => ({
  ...token,
  kind: "service",
});

/** Until when a token works, ISO 8601; `null`: until it is deleted, as those of the operator do. */
export const endOfToken = (token: Token): string | null =>
  token.kind === "service" ? token.expires_at : null;

/** Whether it has expired by the reader's clock. */
export function hasExpired(token: Token, nowMs: number): boolean {
  const end = endOfToken(token);
  return end !== null && new Date(end).getTime() <= nowMs;
}
