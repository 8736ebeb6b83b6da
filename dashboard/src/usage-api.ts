import type {
  KeyRefusalReason,
  PageAsk,
  RefusalJson,
  UnattributedRefusalReason,
  UsageQuery,
} from "@latchkey/sdk/client";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { cacheKeys, clientFor, visitor } from "./api.ts";
import { bounds } from "./bounds.ts";
import type { Rotation } from "./key-pairs.ts";
import { type RangeName, spanOf } from "./usage-range.ts";

/** Often enough to watch an old key go quiet; nothing is read while the page is hidden. */
const refreshMs = 10_000;

const dayMs = 24 * 60 * 60 * 1000;

/** The days that one reading may span, a little under the server's bound on buckets. */
const daysMax = 1_490;

const usageKey = (account: string, environment: string) =>
  ["account", account, "environment", environment, "usage"] as const;

/** What the usage page and its download ask for. */
export const environmentUsage = (environment: string, range: RangeName) =>
  ({
    environment,
    group_by: ["key", "outcome"],
    ...spanOf(range, Date.now()),
  }) satisfies UsageQuery;

/** An environment's verifications by key and outcome: one reading for the chart and for the table. */
export const usageQuery = (account: string, environment: string, range: RangeName) =>
  queryOptions({
    queryKey: [...usageKey(account, environment), range],
    queryFn: ({ signal }) =>
      clientFor(account).usage.read(
        { ...environmentUsage(environment, range), top: bounds.usageKeysMax },
        { signal },
      ),
    refetchInterval: refreshMs,
  });

/** The last 24 hours of the keys of one page of the list, in one reading. */
export const sparklinesQuery = (account: string, environment: string, ids: readonly string[]) =>
  queryOptions({
    queryKey: [...usageKey(account, environment), "sparklines", ids],
    queryFn: ({ signal }) =>
      clientFor(account).usage.read(
        { ...environmentUsage(environment, "24h"), api_key_ids: ids, top: bounds.pageSize },
        { signal },
      ),
    placeholderData: keepPreviousData,
    refetchInterval: refreshMs,
    enabled: ids.length > 0,
  });

/** The last hour of both keys of each of these rotations, in one reading. */
export const splitsQuery = (
  account: string,
  environment: string,
  rotations: readonly Rotation[],
) => {
  const ids = [...new Set(rotations.flatMap(({ oldId, newId }) => [oldId, newId]))];
  return queryOptions({
    queryKey: [...usageKey(account, environment), "splits", ids],
    queryFn: ({ signal }) =>
      clientFor(account).usage.read(
        { ...environmentUsage(environment, "1h"), api_key_ids: ids, top: ids.length },
        { signal },
      ),
    refetchInterval: refreshMs,
    enabled: ids.length > 0,
  });
};

/** One key's use: its counts in the range, its totals and its callers. */
export const keyUsageQuery = (account: string, environment: string, id: string, range: RangeName) =>
  queryOptions({
    queryKey: [...cacheKeys.apiKeys(account, environment), id, "usage", range],
    queryFn: ({ signal }) =>
      clientFor(account).apiKeys.usage(id, spanOf(range, Date.now()), { signal }),
    refetchInterval: refreshMs,
  });

/** How often, and when last, a key was tried after its end; see {@link lateUseQuery}. */
export interface LateUse {
  count: number;
  /** `null` when only counts were kept. */
  latest: RefusalJson | null;
}

/** The use of a key since it was revoked or has expired, in full by its counts, and the latest by its refusal. */
export const lateUseQuery = (
  account: string,
  environment: string,
  end: { id: string; reason: "revoked" | "expired"; at: string },
) =>
  queryOptions({
    queryKey: [...cacheKeys.apiKeys(account, environment), end.id, "late-use", end.reason],
    queryFn: async ({ signal }): Promise<LateUse> => {
      const client = clientFor(account);
      const from = new Date(Math.max(Date.parse(end.at), Date.now() - daysMax * dayMs));
      const range = { granularity: "day", from: from.toISOString() } as const;
      const search = { api_key_id: end.id, reason: end.reason, page_size: 1 };
      const [{ entries }, refusals] = await Promise.all([
        client.apiKeys.usage(end.id, range, { signal }),
        client.refusals.list(search, { signal }),
      ]);
      const count = entries
        .filter(({ outcome }) => outcome === end.reason)
        .reduce((sum, entry) => sum + entry.count, 0);
      return { count, latest: refusals.entries[0] ?? null };
    },
    refetchInterval: refreshMs,
  });

/** What names a key where only its id is known; kept for a while, for names hardly change. */
export const keyNameQuery = (account: string, environment: string, id: string) =>
  queryOptions({
    queryKey: [...cacheKeys.apiKeys(account, environment), id, "name"],
    queryFn: ({ signal }) => clientFor(account).apiKeys.get(id, { signal }),
    staleTime: 5 * 60_000,
  });

/** Keys of any state whose description, hint or id has this in it, to choose one of them. */
export const keyChoicesQuery = (account: string, environment: string, q: string) =>
  queryOptions({
    queryKey: [...cacheKeys.apiKeys(account, environment), "choices", q],
    queryFn: ({ signal }) =>
      clientFor(account).apiKeys.list(
        { environment, status: "all", q: q === "" ? undefined : q, page_size: bounds.pageSize },
        { signal },
      ),
    placeholderData: keepPreviousData,
  });

/** Which refusals a page of the list shows; lives in the address. */
export interface RefusalSearchState<Reason extends string>
  extends Pick<PageAsk, "after" | "before"> {
  reason?: Reason | undefined;
}

/** Where refusals are read from: an account's own, or those of no account. */
export interface RefusalSource<Reason extends string> {
  /** Names what is cached. */
  key: readonly string[];
  list: (
    search: RefusalSearchState<Reason> & { page_size: number },
    options: { signal: AbortSignal },
  ) => ReturnType<typeof visitor.operatorRefusals.list>;
  get: (requestId: string, options: { signal: AbortSignal }) => Promise<RefusalJson>;
}

/** The refusals of an environment's keys, or of one of them. */
export const environmentRefusals = (
  account: string,
  environment: string,
  apiKeyId: string | undefined,
): RefusalSource<KeyRefusalReason> => ({
  key: ["account", account, "environment", environment, "refusals", apiKeyId ?? "all"],
  list: (search, options) =>
    clientFor(account).refusals.list({ environment, api_key_id: apiKeyId, ...search }, options),
  get: (requestId, options) => clientFor(account).refusals.get(requestId, options),
});

/** The refusals that belong to no account. */
export const unattributedRefusals: RefusalSource<UnattributedRefusalReason> = {
  key: ["operator", "refusals"],
  list: (search, options) => visitor.operatorRefusals.list(search, options),
  get: (requestId, options) => visitor.operatorRefusals.get(requestId, options),
};

/** One page of refusals, newest first. */
export const refusalsQuery = <Reason extends string>(
  source: RefusalSource<Reason>,
  search: RefusalSearchState<Reason>,
) =>
  queryOptions({
    queryKey: [...source.key, "page", search],
    queryFn: ({ signal }) => source.list({ ...search, page_size: bounds.pageSize }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: refreshMs,
  });

/** One refusal by the request id that its caller got. */
export const refusalQuery = <Reason extends string>(
  source: RefusalSource<Reason>,
  requestId: string,
) =>
  queryOptions({
    queryKey: [...source.key, "one", requestId],
    queryFn: ({ signal }) => source.get(requestId, { signal }),
    // It never changes; what is not there may still come: it is stored a moment after the answer.
    staleTime: 60_000,
  });
