import type { KeyRefusalReason, UnattributedRefusalReason } from "@latchkey/sdk/client";
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import type { KeySearch } from "./api.ts";
import { type AuditAddress, isAuditRange } from "./audit-api.ts";
import { bounds } from "./bounds.ts";
import { KEY_REASONS, UNATTRIBUTED_REASONS } from "./outcomes.ts";
import { ApiKeyPage } from "./pages/api-key.tsx";
import { ApiKeysPage } from "./pages/api-keys.tsx";
import { AuditLogPage } from "./pages/audit-log.tsx";
import { EnvironmentsPage } from "./pages/environments.tsx";
import { ForgotPasswordPage } from "./pages/forgot-password.tsx";
import { GeneralPage } from "./pages/general.tsx";
import { AccountPage, HomePage } from "./pages/home.tsx";
import { InvitationPage } from "./pages/invitation.tsx";
import { MembersPage } from "./pages/members.tsx";
import { NewAccountPage } from "./pages/new-account.tsx";
import { CrashPage, NotFoundPage } from "./pages/not-found.tsx";
import { OperatorRefusalsPage } from "./pages/operator-refusals.tsx";
import { RefusalsPage } from "./pages/refusals.tsx";
import { ResetPasswordPage } from "./pages/reset-password.tsx";
import { ServiceTokensPage } from "./pages/service-tokens.tsx";
import { SetUpPage } from "./pages/set-up.tsx";
import { SignInPage } from "./pages/sign-in.tsx";
import { SignInLinkPage } from "./pages/sign-in-link.tsx";
import { SignUpPage } from "./pages/sign-up.tsx";
import { TokensPage } from "./pages/tokens.tsx";
import { type UsageBy, UsagePage } from "./pages/usage.tsx";
import { VerifyEmailPage } from "./pages/verify-email.tsx";
import { YouPage } from "./pages/you.tsx";
import type { RefusalAddress } from "./parts/refusal-board.tsx";
import { Shell } from "./parts/shell.tsx";
import { requestIdIn } from "./request-ids.ts";
import { isRange, type RangeName } from "./usage-range.ts";

const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

const homeRoute = createRoute({ getParentRoute: () => rootRoute, path: "/", component: HomePage });

const setUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  component: SetUpPage,
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: only((search): { to?: string } =>
    typeof search.to === "string" ? { to: search.to } : {},
  ),
  component: SignInPage,
});

const forgotPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/forgot-password",
  component: ForgotPasswordPage,
});

const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invitation",
  component: InvitationPage,
});

const newAccountRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new-account",
  component: NewAccountPage,
});

const resetPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/reset-password",
  component: ResetPasswordPage,
});

const signInLinkRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in-link",
  component: SignInLinkPage,
});

const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-up",
  component: SignUpPage,
});

const verifyEmailRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/verify-email",
  component: VerifyEmailPage,
});

const accountRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/$account",
  component: AccountPage,
});

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/$account/$environment",
  component: Shell,
});

const shellIndexRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/$account/$environment/platform/api-keys", params, replace: true });
  },
});

const uses: readonly string[] = ["never", "over_90_days_ago"];
const isLastUse = (value: unknown): value is "never" | "over_90_days_ago" =>
  typeof value === "string" && uses.includes(value);

const ends: readonly string[] = ["within_7_days", "within_30_days", "never"];
const isEnd = (value: unknown): value is Exclude<KeySearch["expires"], "whenever"> =>
  typeof value === "string" && ends.includes(value);

const statuses: readonly string[] = ["active", "revoked", "expired", "all"];
const isStatus = (value: unknown): value is KeySearch["status"] =>
  typeof value === "string" && statuses.includes(value);

/** What of {@link KeySearch} the address says; what it leaves out has its default. */
interface KeySearchInAddress {
  status?: KeySearch["status"];
  last_used?: Exclude<KeySearch["lastUsed"], "any">;
  expires?: Exclude<KeySearch["expires"], "whenever">;
  q?: string;
  created_by?: string;
  after?: string;
  before?: string;
}

const apiKeysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/platform/api-keys",
  validateSearch: only((search): KeySearchInAddress => {
    const q = textOf(search.q);
    const maker = textOf(search.created_by);
    return {
      ...(isStatus(search.status) && search.status !== "active" ? { status: search.status } : {}),
      ...(isLastUse(search.last_used) ? { last_used: search.last_used } : {}),
      ...(isEnd(search.expires) ? { expires: search.expires } : {}),
      ...(q === undefined ? {} : { q }),
      ...(maker === undefined ? {} : { created_by: maker }),
      ...cursorIn(search),
    };
  }),
  component: ApiKeysPage,
});

const apiKeyRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/platform/api-keys/$key",
  validateSearch: only(rangeIn),
  component: ApiKeyPage,
});

const usageRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/observability/usage",
  validateSearch: only((search): { range?: RangeName; by?: UsageBy } => ({
    ...rangeIn(search),
    ...(search.by === "key" || search.by === "outcome" ? { by: search.by } : {}),
  })),
  component: UsagePage,
});

const refusalsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/observability/refusals",
  validateSearch: only((search): RefusalAddress<KeyRefusalReason> & { key?: string } => {
    const key = textOf(search.key);
    return { ...refusalsIn(search, KEY_REASONS), ...(key === undefined ? {} : { key }) };
  }),
  component: RefusalsPage,
});

const operatorRefusalsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/operator/refusals",
  validateSearch: only(
    (search): RefusalAddress<UnattributedRefusalReason> => refusalsIn(search, UNATTRIBUTED_REASONS),
  ),
  component: OperatorRefusalsPage,
});

const generalRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings/general",
  component: GeneralPage,
});

const membersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings/members",
  validateSearch: only(cursorIn),
  component: MembersPage,
});

const youRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/you",
  component: YouPage,
});

const environmentsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings/environments",
  component: EnvironmentsPage,
});

const serviceTokensRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings/service-tokens",
  validateSearch: only(cursorIn),
  component: ServiceTokensPage,
});

const auditLogRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings/audit-log",
  validateSearch: only(
    (search): AuditAddress => ({
      ...textsIn(search, ["actor", "action", "key", "subject"]),
      ...(isAuditRange(search.range) ? { range: search.range } : textsIn(search, ["from", "to"])),
      ...cursorIn(search),
    }),
  ),
  component: AuditLogPage,
});

const tokensRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/operator/tokens",
  validateSearch: only(cursorIn),
  component: TokensPage,
});

/**
 * What `read` makes of an address, and of nothing else in it.
 *
 * The router lays what a validator returns over all that the address says, so what is refused or unknown is named here,
 * as `undefined`. Its own `search.strict` does so only for the first load and for links, not for where signing in or the
 * browser's "back" leads.
 */
function only<T extends object>(read: (search: Record<string, unknown>) => T) {
  return (search: Record<string, unknown>): T => ({
    ...Object.fromEntries(Object.keys(search).map((name) => [name, undefined])),
    ...read(search),
  });
}

function rangeIn(search: Record<string, unknown>): { range?: RangeName } {
  return isRange(search.range) ? { range: search.range } : {};
}

/** Reason, page and the one refusal that is looked at. */
function refusalsIn<Reason extends string>(
  search: Record<string, unknown>,
  reasons: readonly Reason[],
): RefusalAddress<Reason> {
  const reason = reasons.find((one) => one === search.reason);
  const request = requestIdIn(textOf(search.request) ?? "");
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(request === null ? {} : { request }),
    ...cursorIn(search),
  };
}

function textsIn<Name extends string>(
  search: Record<string, unknown>,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const texts: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const text = textOf(search[name]);
    if (text !== undefined) texts[name] = text;
  }
  return texts;
}

/** One cursor at a time: a page is after or before something. */
function cursorIn(search: Record<string, unknown>): { after?: string; before?: string } {
  const [after, before] = [textOf(search.after), textOf(search.before)];
  if (after !== undefined) return { after };
  return before === undefined ? {} : { before };
}

/** The router reads `?q=12` as a number; here it is text again. */
function textOf(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text !== "string" || text === "" ? undefined : text.slice(0, bounds.searchMax);
}

const routeTree = rootRoute.addChildren([
  homeRoute,
  setUpRoute,
  signInRoute,
  forgotPasswordRoute,
  invitationRoute,
  newAccountRoute,
  resetPasswordRoute,
  signInLinkRoute,
  signUpRoute,
  verifyEmailRoute,
  accountRoute,
  shellRoute.addChildren([
    shellIndexRoute,
    apiKeysRoute,
    apiKeyRoute,
    usageRoute,
    refusalsRoute,
    generalRoute,
    membersRoute,
    youRoute,
    environmentsRoute,
    serviceTokensRoute,
    auditLogRoute,
    tokensRoute,
    operatorRefusalsRoute,
  ]),
]);

/** Makes the router; called after the set-up secret has left the address bar, which it reads here. */
export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultNotFoundComponent: NotFoundPage,
    defaultErrorComponent: CrashPage,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
