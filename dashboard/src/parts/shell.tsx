import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Outlet, useMatches } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { clientFor, environmentsQuery, meQuery } from "../api.ts";
import { NotHere, ShellFailure } from "../pages/not-found.tsx";
import { PlaceContext } from "../place.ts";
import { Frame, FrameSkeleton } from "./frame.tsx";

const route = getRouteApi("/$account/$environment");

/** Finds the place that the address names, and puts the page into the frame. */
export function Shell() {
  const params = route.useParams();
  const me = useQuery(meQuery);
  const account = me.data?.accounts.find((one) => one.slug === params.account);
  const environments = useQuery({
    ...environmentsQuery(params.account),
    enabled: account !== undefined,
  });
  useHeadingFocus();

  if (me.data === undefined)
    return me.isError ? <ShellFailure error={me.error} onRetry={me.refetch} /> : <FrameSkeleton />;
  if (account === undefined) return <NotHere what="account" />;
  if (environments.data === undefined)
    return environments.isError ? (
      <ShellFailure error={environments.error} onRetry={environments.refetch} />
    ) : (
      <FrameSkeleton />
    );
  const environment = environments.data.find((one) => one.slug === params.environment);
  if (environment === undefined) return <NotHere what="environment" account={account} />;

  return (
    <PlaceContext
      value={{
        person: me.data.person,
        operator: me.data.operator,
        account,
        accounts: me.data.accounts,
        environment,
        environments: environments.data,
        client: clientFor(account.slug),
      }}
    >
      <Frame>
        <Outlet />
      </Frame>
    </PlaceContext>
  );
}

/** After a move to another page the focus is on its heading, so that a screen reader reads where one is. */
function useHeadingFocus(): void {
  // Of what is rendered, not of the address, which is ahead of it: the heading of before may be gone in a moment.
  const pathname = useMatches({ select: (matches) => matches.at(-1)?.pathname });
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
  }, [pathname]);
}
