import type { MeJson, PageAsk, Role } from "@latchkey/sdk/client";
import { ApiError } from "@latchkey/sdk/client";
import { queryOptions } from "@tanstack/react-query";
import { cacheKeys, clientFor, ofSameAccount, visitor } from "./api.ts";
import { bounds } from "./bounds.ts";
import { may } from "./place.ts";

type Cursor = Pick<PageAsk, "after" | "before">;

/** One page of an account's members, read again every ten seconds while it can be seen. */
export const membersQuery = (account: string, cursor: Cursor) =>
  queryOptions({
    queryKey: [...cacheKeys.members(account), cursor],
    queryFn: ({ signal }) =>
      clientFor(account).members.list({ ...cursor, page_size: bounds.pageSize }, { signal }),
    placeholderData: ofSameAccount(account),
    refetchInterval: 10_000,
  });

/** One member as they are now: what a list says of them may be seconds old. */
export const memberQuery = (account: string, id: string) =>
  queryOptions({
    queryKey: [...cacheKeys.members(account), id],
    queryFn: ({ signal }) => clientFor(account).members.get(id, { signal }),
    staleTime: 0,
  });

/** One page of an account's open invitations. */
export const invitationsQuery = (account: string, cursor: Cursor) =>
  queryOptions({
    queryKey: [...cacheKeys.invitations(account), cursor],
    queryFn: ({ signal }) =>
      clientFor(account).invitations.list({ ...cursor, page_size: bounds.pageSize }, { signal }),
    placeholderData: ofSameAccount(account),
    refetchInterval: 10_000,
  });

/** Living keys that somebody made, in every environment: as many as one page of the API holds. */
export const keysMadeByQuery = (account: string, maker: string) =>
  queryOptions({
    queryKey: [...cacheKeys.everythingOf(account), "keys-made-by", maker],
    queryFn: ({ signal }) =>
      clientFor(account).apiKeys.list(
        { created_by: maker, status: "active", page_size: bounds.keysMadeMax },
        { signal },
      ),
  });

/** The person's own sessions. */
export const sessionsQuery = queryOptions({
  queryKey: cacheKeys.sessions,
  queryFn: ({ signal }) => visitor.person.sessions({ signal }),
  refetchInterval: 10_000,
});

/** What the secret of an invitation invites to; asked once, for each asking is counted. */
export const invitationQuery = (secret: string) =>
  queryOptions({
    queryKey: [...cacheKeys.invitation, secret],
    queryFn: ({ signal }) => visitor.person.openInvitation({ secret }, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: (count, error) => count < 2 && error instanceof ApiError && error.status === 0,
  });

/** Roles that somebody may give and take: owners are the owners' alone. */
export const rolesInReach = (account: MeJson["accounts"][number]): readonly Role[] =>
  may(account, "owners:write")
    ? ["owner", "admin", "member", "support"]
    : ["admin", "member", "support"];

/** Opens a sign-in link: once, whatever the page does, for it is spent then. */
export const signInLinkQuery = (secret: string) =>
  queryOptions({
    queryKey: [...cacheKeys.signInLink, secret],
    queryFn: () => visitor.person.openSignInLink({ secret }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
