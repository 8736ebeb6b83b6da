/** Pages that a link leads to whose secret is behind the `#`. */
export const LINK_PATHS = [
  "/setup",
  "/invitation",
  "/reset-password",
  "/verify-email",
  "/sign-in-link",
] as const;

/** Pages that can do without a session. */
export const PUBLIC_PATHS: readonly string[] = [
  "/",
  "/sign-in",
  "/sign-up",
  "/forgot-password",
  ...LINK_PATHS,
];
