import { ApiError, type MeJson } from "@latchkey/sdk/client";
import { Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Navigate } from "@tanstack/react-router";
import { environmentsQuery, meQuery, setUpQuery } from "../api.ts";
import { PageLoader } from "../parts/page-loader.tsx";
import { Plate } from "../parts/plate.tsx";
import { useSignOut } from "../parts/use-sign-out.ts";
import { may } from "../place.ts";
import { NotHere, ShellFailure } from "./not-found.tsx";

/** `/`: on to the first account, to sign-in, or word that set-up is still open. */
export function HomePage() {
  const me = useQuery(meQuery);
  const visiting = me.error instanceof ApiError && me.error.status === 401;
  const setUp = useQuery({ ...setUpQuery, enabled: visiting });

  if (me.data !== undefined) {
    const first = me.data.accounts[0];
    if (first === undefined) return <NoAccount me={me.data} />;
    return <Navigate to="/$account" params={{ account: first.slug }} replace />;
  }
  if (me.isError && !visiting) return <ShellFailure error={me.error} onRetry={me.refetch} />;
  if (setUp.data?.state === "open") return <SetUpIsOpen />;
  if (setUp.data?.state === "done") return <Navigate to="/sign-in" replace />;
  if (setUp.isError) return <ShellFailure error={setUp.error} onRetry={setUp.refetch} />;
  return <PageLoader label="Loading" />;
}

const accountRoute = getRouteApi("/$account");

/** `/<account>`: on to the API keys of its first environment, or to its people for whoever sees no keys. */
export function AccountPage() {
  const params = accountRoute.useParams();
  const me = useQuery(meQuery);
  const account = me.data?.accounts.find((one) => one.slug === params.account);
  const environments = useQuery({
    ...environmentsQuery(params.account),
    enabled: account !== undefined,
  });
  const failed = me.isError ? me : environments;
  if (failed.isError) return <ShellFailure error={failed.error} onRetry={failed.refetch} />;
  if (me.data !== undefined && account === undefined) return <NotHere what="account" />;
  if (account === undefined || environments.data === undefined)
    return <PageLoader label="Loading" />;
  const first = environments.data[0];
  if (first === undefined)
    return (
      <Plate
        title="No environments"
        lead={`${account.name} has no environment. Add one through the API with a service token.`}
      />
    );
  return (
    <Navigate
      to={
        may(account, "keys:read")
          ? "/$account/$environment/platform/api-keys"
          : "/$account/$environment/settings/members"
      }
      params={{ account: account.slug, environment: first.slug }}
      replace
    />
  );
}

function SetUpIsOpen() {
  return (
    <Plate title="Set-up is still open" lead="This Latchkey has no owner yet.">
      <Text fz="sm">
        Open the set-up link that the server printed when it started. It works once, for 30 minutes.
        If it is gone or too old, restart the server: it prints a new one.
      </Text>
    </Plate>
  );
}

function NoAccount({ me: { person, sign_up } }: { me: MeJson }) {
  const { signOut, isPending } = useSignOut();
  return (
    <Plate title="No account yet" lead={`${person.email} does not belong to any account.`}>
      <Text fz="sm">
        {sign_up === "open"
          ? "Create one for your team, or ask an owner of another for an invitation."
          : "Ask an owner for an invitation, and open its link here."}
      </Text>
      <Group>
        {sign_up === "open" ? (
          <Button renderRoot={(props) => <Link to="/new-account" {...props} />}>
            Create an account
          </Button>
        ) : null}
        <Button variant="default" loading={isPending} onClick={signOut}>
          Sign out
        </Button>
      </Group>
    </Plate>
  );
}
