import { type ApiKeyFilter, type Client, createClient, type PageAsk } from "@latchkey/sdk/client";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { bounds } from "./bounds.ts";
import { serviceToken } from "./tokens.ts";

const clients = new Map<string, Client>();

/** What is read is tried again by the cache of answers; a deed, by the person who was told that it failed. */
const retries = 0;

/** The client for calls that name no account: set-up, sign-in, who am I, and what the operator does. */
export const visitor = createClient({ retries });

/** The one client that acts for an account; the session's cookie signs its calls. */
export function clientFor(account: string): Client {
  let client = clients.get(account);
  if (client === undefined) {
    client = createClient({ account, retries });
    clients.set(account, client);
  }
  return client;
}

/** Which keys a page of the list shows; lives in the address. */
export interface KeySearch {
  status: "active" | "revoked" | "expired" | "all";
  lastUsed: "any" | "never" | "over_90_days_ago";
  expires: "whenever" | "within_7_days" | "within_30_days" | "never";
  q: string;
  /** Id of who made them; everybody unless given. */
  createdBy: string | undefined;
  after: string | undefined;
  before: string | undefined;
}

/** Names of what is cached. Account and environment come first, so that nothing of one is ever shown in another. */
export const cacheKeys = {
  me: ["me"],
  setUp: ["set-up"],
  invitation: ["invitation"],
  sessions: ["sessions"],
  signInLink: ["sign-in-link"],
  tokens: ["operator", "tokens"],
  everythingOf: (account: string) => ["account", account],
  account: (account: string) => ["account", account, "itself"],
  environments: (account: string) => ["account", account, "environments"],
  members: (account: string) => ["account", account, "members"],
  invitations: (account: string) => ["account", account, "invitations"],
  auditLog: (account: string) => ["account", account, "audit-log"],
  serviceTokens: (account: string) => ["account", account, "service-tokens"],
  apiKeys: (account: string, environment: string) => [
    "account",
    account,
    "environment",
    environment,
    "api-keys",
  ],
} as const;

/** Paging and filtering keep the old rows until the new ones are there; another account never does. */
export const ofSameAccount =
  (account: string) =>
  <T>(previous: T, query: { queryKey: readonly unknown[] } | undefined): T | undefined =>
    query?.queryKey[1] === account ? previous : undefined;

export const meQuery = queryOptions({
  queryKey: cacheKeys.me,
  queryFn: ({ signal }) => visitor.me({ signal }),
  staleTime: 60_000,
  // What one may do changes while one looks at it.
  refetchInterval: 30_000,
});

export const setUpQuery = queryOptions({
  queryKey: cacheKeys.setUp,
  queryFn: ({ signal }) => visitor.setUpState({ signal }),
});

/** What the account's owner has set. */
export const ownAccountQuery = (account: string) =>
  queryOptions({
    queryKey: cacheKeys.account(account),
    queryFn: ({ signal }) => clientFor(account).account.get({ signal }),
    staleTime: 30_000,
  });

/** Every environment of an account, oldest first: that is the order of the switcher and of its digits. */
export const environmentsQuery = (account: string) =>
  queryOptions({
    queryKey: cacheKeys.environments(account),
    queryFn: ({ signal }) =>
      clientFor(account).environments.list({ page_size: bounds.environmentsMax }, { signal }),
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
    queryFn: ({ signal }) =>
      clientFor(account).apiKeys.list(filterOf(environment, search), { signal }),
    // Paging and filtering keep the old rows until the new ones are there; another environment never does.
    placeholderData: (previous, query) =>
      query?.queryKey[1] === account && query.queryKey[3] === environment ? previous : undefined,
    refetchInterval: 10_000,
  });

/** One key, read again every two seconds while it is looked at. */
export const apiKeyQuery = (account: string, environment: string, id: string) =>
  queryOptions({
    queryKey: [...cacheKeys.apiKeys(account, environment), id],
    queryFn: ({ signal }) => clientFor(account).apiKeys.get(id, { signal }),
    refetchInterval: 2_000,
  });

/** One page of the operator's tokens, read again every ten seconds while it can be seen. */
export const tokensQuery = (cursor: Pick<PageAsk, "after" | "before">) =>
  queryOptions({
    queryKey: [...cacheKeys.tokens, cursor],
    queryFn: ({ signal }) =>
      visitor.tokens.list({ ...cursor, page_size: bounds.pageSize }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  });

/** One page of an account's service tokens, read again every ten seconds while it can be seen. */
export const serviceTokensQuery = (account: string, cursor: Pick<PageAsk, "after" | "before">) =>
  queryOptions({
    queryKey: [...cacheKeys.serviceTokens(account), cursor],
    queryFn: ({ signal }) =>
      clientFor(account).serviceTokens.list({ ...cursor, page_size: bounds.pageSize }, { signal }),
    select: (page) => ({ ...page, entries: page.entries.map(serviceToken) }),
    placeholderData: ofSameAccount(account),
    refetchInterval: 10_000,
  });

function filterOf(
  environment: string,
  { q, lastUsed, expires, createdBy, ...rest }: KeySearch,
): ApiKeyFilter {
  return {
    environment,
    page_size: bounds.pageSize,
    q: q === "" ? undefined : q,
    last_used: lastUsed === "any" ? undefined : lastUsed,
    expires: expires === "whenever" ? undefined : expires,
    created_by: createdBy,
    ...rest,
  };
}
