import { ApiError } from "@latchkey/sdk/client";
import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { setUpQuery, visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { returnPath } from "../return-path.ts";

const route = getRouteApi("/sign-in");

/** E-mail and password, then back to where the person wanted to go. */
export function SignInPage() {
  const { to } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const setUp = useQuery(setUpQuery);
  const form = useForm({
    initialValues: { email: "", password: "" },
    validate: {
      email: rules.email,
      password: (value) => (value === "" ? "Enter your password." : null),
    },
  });
  const signIn = useMutation({
    mutationFn: () =>
      visitor.signIn({ email: form.values.email.trim(), password: form.values.password }),
    onSuccess: () => {
      // Whatever was cached was another person's.
      queryClient.clear();
      router.history.push(returnPath(to));
    },
    onError: () => form.setFieldValue("password", ""),
  });
  return (
    <Plate title="Sign in" lead="Manage the API keys of your account.">
      {setUp.data?.state === "open" ? (
        <Alert color="yellow" variant="light" title="Set-up is still open">
          Nobody can sign in yet. Use the set-up link that the server printed when it started.
        </Alert>
      ) : null}
      <form onSubmit={form.onSubmit(() => signIn.mutate())} noValidate aria-label="Sign in">
        <Stack>
          {signIn.isError ? <SignInProblem key={signIn.submittedAt} error={signIn.error} /> : null}
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            inputMode="email"
            maxLength={bounds.emailMax}
            {...form.getInputProps("email")}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            maxLength={bounds.passwordMax}
            {...form.getInputProps("password")}
          />
          <Button type="submit" loading={signIn.isPending} fullWidth mt="xs">
            Sign in
          </Button>
        </Stack>
      </form>
    </Plate>
  );
}

function SignInProblem({ error }: { error: unknown }) {
  const status = error instanceof ApiError ? error.status : undefined;
  const wait = useSecondsLeft(
    status === 429 && error instanceof ApiError ? (error.retryAfterSeconds ?? 0) : 0,
  );
  if (status === 429)
    return (
      <Problem
        title="Too many attempts"
        error={error}
        // Not read out again each second.
        message={<span aria-live="off">{waitText(wait)}</span>}
      />
    );
  if (status === 0) return <Problem title="The server could not be reached" error={error} />;
  if (status === 400 || status === 401 || status === 422)
    return (
      <Problem
        title="Not signed in"
        error={error}
        message="E-mail and password do not match. Check both and try again."
      />
    );
  return <Problem title="Not signed in" error={error} />;
}

function waitText(seconds: number): string {
  if (seconds === 0) return "You can try again now.";
  return `Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
}

/** Counts down to zero, once a second. */
function useSecondsLeft(seconds: number): number {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    const timer = window.setInterval(() => setLeft((now) => Math.max(0, now - 1)), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  return left;
}
