import { type ApiKeyFilter, type Client, createClient } from "@latchkey/sdk/client";
import { queryOptions } from "@tanstack/react-query";
import { bounds } from "./bounds.ts";

const clients = new Map<string, Client>();

/** The client for calls that name no account: set-up, sign-in, who am I. */
export const visitor = createClient();

/** The one client that acts for an account; the session's cookie signs its calls. */
export function clientFor(account: string): Client {
  let client = clients.get(account);
  if (client === undefined) {
    client = createClient({ account });
    clients.set(account, client);
  }
  return client;
}

/** Which keys a page of the list shows; lives in the address. */
export interface KeySearch {
  status: "active" | "revoked" | "expired" | "all";
  q: string;
  after: string | undefined;
  before: string | undefined;
}

/** Names of what is cached. Account and environment come first, so that nothing of one is ever shown in another. */
export const cacheKeys = {
  me: ["me"],
  setUp: ["set-up"],
  environments: (account: string) => ["account", account, "environments"],
  apiKeys: (account: string, environment: string) => [
    "account",
    account,
    "environment",
    environment,
    "api-keys",
  ],
} as const;

export const meQuery = queryOptions({
  queryKey: cacheKeys.me,
  queryFn: () => visitor.me(),
  staleTime: 60_000,
});

export const setUpQuery = queryOptions({
  queryKey: cacheKeys.setUp,
  queryFn: () => visitor.setUpState(),
});

/** Every environment of an account, oldest first: that is the order of the switcher and of its digits. */
export const environmentsQuery = (account: string) =>
  queryOptions({
    queryKey: cacheKeys.environments(account),
    queryFn: () => clientFor(account).environments.list({ page_size: bounds.environmentsMax }),
    select: (page) =>
      page.entries.toSorted(
        (a, b) => a.created_at.localeCompare(b.created_at) || a.slug.localeCompare(b.slug),
      ),
    staleTime: 30_000,
  });

/** One page of an environment's keys, read again every ten seconds while it can be seen. */
export const apiKeysQuery = (account: string, environment: string, search: KeySearch) =>
  queryOptions({
    queryKey: [...cacheKeys.apiKeys(account, environment), search],
    queryFn: () => clientFor(account).apiKeys.list(filterOf(environment, search)),
    // Paging and filtering keep the old rows until the new ones are there; another environment never does.
    placeholderData: (previous, query) =>
      query?.queryKey[1] === account && query.queryKey[3] === environment ? previous : undefined,
    refetchInterval: 10_000,
  });

/** One key, read again every two seconds while it is looked at. */
export const apiKeyQuery = (account: string, environment: string, id: string) =>
  queryOptions({
    queryKey: [...cacheKeys.apiKeys(account, environment), id],
    queryFn: () => clientFor(account).apiKeys.get(id),
    refetchInterval: 2_000,
  });

function filterOf(environment: string, search: KeySearch): ApiKeyFilter {
  return {
    environment,
    status: search.status,
    page_size: bounds.pageSize,
    ...(search.q === "" ? {} : { q: search.q }),
    ...(search.after === undefined ? {} : { after: search.after }),
    ...(search.before === undefined ? {} : { before: search.before }),
  };
}
