import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import type { KeySearch } from "./api.ts";
import { bounds } from "./bounds.ts";
import { ApiKeysPage } from "./pages/api-keys.tsx";
import { EnvironmentsPage } from "./pages/environments.tsx";
import { AccountPage, HomePage } from "./pages/home.tsx";
import { CrashPage, NotFoundPage } from "./pages/not-found.tsx";
import { SetUpPage } from "./pages/set-up.tsx";
import { SignInPage } from "./pages/sign-in.tsx";
import { TokensPage } from "./pages/tokens.tsx";
import { Shell } from "./parts/shell.tsx";

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
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    typeof search.to === "string" ? { to: search.to } : {},
  component: SignInPage,
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

const statuses: readonly string[] = ["active", "revoked", "expired", "all"];
const isStatus = (value: unknown): value is KeySearch["status"] =>
  typeof value === "string" && statuses.includes(value);

/** What of {@link KeySearch} the address says; what it leaves out has its default. */
export type KeySearchInAddress = {
  [Name in keyof KeySearch]?: Exclude<KeySearch[Name], undefined>;
};

const apiKeysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/platform/api-keys",
  validateSearch: (search: Record<string, unknown>): KeySearchInAddress => {
    const q = textOf(search.q);
    return {
      ...(isStatus(search.status) && search.status !== "active" ? { status: search.status } : {}),
      ...(q === undefined ? {} : { q }),
      ...cursorIn(search),
    };
  },
  component: ApiKeysPage,
});

const environmentsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings/environments",
  component: EnvironmentsPage,
});

const tokensRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/operator/tokens",
  validateSearch: (search: Record<string, unknown>): { after?: string; before?: string } =>
    cursorIn(search),
  component: TokensPage,
});

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
  accountRoute,
  shellRoute.addChildren([shellIndexRoute, apiKeysRoute, environmentsRoute, tokensRoute]),
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
