import type { MeJson } from "@latchkey/sdk/client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Outlet, useMatches } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { cacheKeys, clientFor, environmentsQuery, meQuery } from "../api.ts";
import { NoLongerHere, NotHere, ShellFailure } from "../pages/not-found.tsx";
import { SecondFactorDuePage } from "../pages/second-factor-due.tsx";
import { PlaceContext } from "../place.ts";
import { Frame, FrameSkeleton } from "./frame.tsx";

const route = getRouteApi("/$account/$environment");

/** Finds the place that the address names, and puts the page into the frame. */
export function Shell() {
  const params = route.useParams();
  const me = useQuery(meQuery);
  const account = me.data?.accounts.find((one) => one.slug === params.account);
  // Whoever comes by a link has no second factor of their own, whatever the person has.
  const due =
    account?.two_factor_required === true &&
    (!me.data?.person.two_factor || me.data.person.confined);
  const [saving, setSaving] = useState(false);
  const queryClient = useQueryClient();
  const environments = useQuery({
    ...environmentsQuery(params.account),
    enabled: account !== undefined && !due,
  });
  const belonged = useBelonged(account);
  useHeadingFocus();

  if (me.data === undefined)
    return me.isError ? <ShellFailure error={me.error} onRetry={me.refetch} /> : <FrameSkeleton />;
  if (account === undefined)
    return belonged?.slug === params.account ? (
      <NoLongerHere name={belonged.name} />
    ) : (
      <NotHere what="account" />
    );
  if (due || saving)
    return (
      <SecondFactorDuePage
        me={me.data}
        account={account}
        onEnrolled={() => setSaving(true)}
        onDone={() => {
          setSaving(false);
          void queryClient.invalidateQueries({ queryKey: cacheKeys.me });
        }}
      />
    );
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

/** The account that one was in last, to tell somebody who is removed from one who never belonged. */
function useBelonged(account: MeJson["accounts"][number] | undefined) {
  const last = useRef(account);
  useEffect(() => {
    if (account !== undefined) last.current = account;
  }, [account]);
  return last.current;
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
