import { Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { cacheKeys } from "../api.ts";
import { isRefused } from "../failures.ts";
import { dropLinkSecret, useLinkSecret } from "../link-secrets.ts";
import { CutLink } from "../parts/cut-link.tsx";
import { PageLoader } from "../parts/page-loader.tsx";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { SignInInstead } from "../parts/sign-in-instead.tsx";
import { signInLinkQuery } from "../people-api.ts";

/** `/sign-in-link#<secret>`: straight into the account, once. */
export function SignInLinkPage() {
  const secret = useLinkSecret("/sign-in-link");
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const opened = useQuery({ ...signInLinkQuery(secret), enabled: secret !== "" });
  const slug = opened.data?.account.slug;
  useEffect(() => {
    if (slug === undefined) return;
    dropLinkSecret("/sign-in-link");
    // Whatever was cached was another person's.
    queryClient.removeQueries({
      predicate: ({ queryKey }) => queryKey[0] !== cacheKeys.signInLink[0],
    });
    void navigate({ to: "/$account", params: { account: slug }, replace: true });
  }, [slug, queryClient, navigate]);

  if (secret === "")
    return (
      <CutLink>
        <OtherWays />
      </CutLink>
    );
  if (opened.isError && isRefused(opened.error) && opened.error.status !== 429)
    return (
      <Plate title="This link no longer works" lead="It works once, for one minute.">
        <OtherWays />
      </Plate>
    );
  if (opened.isError)
    return (
      <Plate title="Not signed in">
        <Problem
          title="The link could not be opened"
          error={opened.error}
          onRetry={() => void queryClient.resetQueries({ queryKey: cacheKeys.signInLink })}
        />
      </Plate>
    );
  return <PageLoader label="Signing in" />;
}

function OtherWays() {
  return (
    <>
      <Text fz="sm">
        Go back to where you came from, and open it again from there: each time there is a new one.
      </Text>
      <SignInInstead>Do you have a password here?</SignInInstead>
    </>
  );
}
