import { Alert, Anchor } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { setUpQuery } from "../api.ts";
import { CodeForm } from "../parts/code-form.tsx";
import { PasswordForm } from "../parts/password-form.tsx";
import { Plate } from "../parts/plate.tsx";
import { Ways } from "../parts/ways.tsx";
import { returnPath } from "../return-path.ts";

const route = getRouteApi("/sign-in");

/** E-mail and password, the second factor where there is one, then back to where the person wanted to go. */
export function SignInPage() {
  const { to } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const setUp = useQuery(setUpQuery);
  const [waiting, setWaiting] = useState(false);
  const done = (): void => {
    // Whatever was cached was another person's.
    queryClient.clear();
    router.history.push(returnPath(to));
  };
  if (waiting)
    return (
      <Plate title="Second factor" lead="Your password is right. One more step.">
        <CodeForm onDone={done} onStartAgain={() => setWaiting(false)} />
      </Plate>
    );
  return (
    <Plate
      title="Sign in"
      lead={
        to === "/invitation"
          ? "Then you can accept the invitation."
          : "Manage the API keys of your account."
      }
    >
      {setUp.data?.state === "open" ? (
        <Alert color="yellow" variant="light" title="Set-up is still open">
          Nobody can sign in yet. Use the set-up link that the server printed when it started.
        </Alert>
      ) : null}
      <PasswordForm onDone={(twoFactor) => (twoFactor ? setWaiting(true) : done())} />
      <Ways>
        <Anchor inherit renderRoot={(props) => <Link to="/forgot-password" {...props} />}>
          Forgot your password?
        </Anchor>
        {to === "/invitation" ? (
          <Anchor inherit renderRoot={(props) => <Link to="/invitation" {...props} />}>
            Back to the invitation
          </Anchor>
        ) : setUp.data?.sign_up === "open" && setUp.data.state === "done" ? (
          <Anchor inherit renderRoot={(props) => <Link to="/sign-up" {...props} />}>
            Create a sign-in
          </Anchor>
        ) : null}
      </Ways>
    </Plate>
  );
}
