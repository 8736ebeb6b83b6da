/** The shape of every slug: lower-case letters, digits and inner hyphens, 1–40 characters. */
export const SLUG_SHAPE = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/**
 * First parts of paths that the server itself answers, now or soon. An account's slug is the first part of its
 * dashboard addresses, so an account named like one of these could not be opened.
 */
const RESERVED_ACCOUNT_SLUGS: ReadonlySet<string> = new Set([
  "account",
  "accounts",
  "api",
  "assets",
  "auth",
  "docs",
  "forgot-password",
  "healthz",
  "invitation",
  "invitations",
  "invite",
  "login",
  "logout",
  "me",
  "metrics",
  "new",
  "new-account",
  "openapi",
  "openapi.json",
  "readyz",
  "reset-password",
  "settings",
  "setup",
  "sign-in",
  "sign-in-link",
  "sign-out",
  "sign-up",
  "static",
  "two-factor",
  "v1",
  "verify-email",
  "well-known",
]);

/** Second parts of dashboard addresses, `/<account>/settings`, that no environment may stand in front of. */
const RESERVED_ENVIRONMENT_SLUGS: ReadonlySet<string> = new Set(["settings"]);

/** Whether an account may have this slug, as far as its shape and our own paths go. */
export function isAccountSlug(slug: string): boolean {
  return SLUG_SHAPE.test(slug) && !RESERVED_ACCOUNT_SLUGS.has(slug);
}

/** Whether an environment may have this slug, as far as its shape and the dashboard's paths go. */
export function isEnvironmentSlug(slug: string): boolean {
  return SLUG_SHAPE.test(slug) && !RESERVED_ENVIRONMENT_SLUGS.has(slug);
}
