import { Button, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { setUpQuery, visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors, isRefused } from "../failures.ts";
import { LookIntoMail } from "../parts/look-into-mail.tsx";
import { NewPasswordInput } from "../parts/new-password-input.tsx";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { SignInInstead } from "../parts/sign-in-instead.tsx";

/** `/sign-up`: a sign-in of one's own, where the operator lets everybody make one. */
export function SignUpPage() {
  const setUp = useQuery(setUpQuery);
  if (setUp.data === undefined)
    return (
      <Plate title="Create a sign-in">
        <ReadProblem what="This page" query={setUp} />
      </Plate>
    );
  if (setUp.data.sign_up !== "open")
    return (
      <Plate title="By invitation" lead="People do not sign up here by themselves.">
        <Text fz="sm">Ask an owner or admin of an account for an invitation.</Text>
        <SignInInstead>Are you here already?</SignInInstead>
      </Plate>
    );
  return <SignUp />;
}

function SignUp() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { name: "", email: "", password: "" },
    validate: { name: rules.name, email: rules.email, password: rules.newPassword },
  });
  const signUp = useMutation({
    mutationFn: (body: { name: string; email: string; password: string }) =>
      visitor.person.signUp(body),
    onSuccess: async ({ confirmation_mailed }) => {
      if (confirmation_mailed === true) return;
      queryClient.clear();
      await navigate({ to: "/new-account" });
    },
    onError: (error) =>
      form.setErrors(
        // Only the address can be in conflict.
        isRefused(error) && error.status === 409
          ? { email: "Somebody signs in with this address already." }
          : fieldErrors(error, { name: "name", email: "email", password: "password" }),
      ),
  });
  if (signUp.data?.confirmation_mailed === true)
    return <LookIntoMail email={form.values.email.trim()} />;
  return (
    <Plate title="Create a sign-in" lead="Then you make an account for your team, or join one.">
      <form
        noValidate
        aria-label="Sign up"
        onSubmit={form.onSubmit(({ name, email, password }) =>
          signUp.mutate({ name: name.trim(), email: email.trim(), password }),
        )}
      >
        <Stack>
          {signUp.isError && Object.keys(form.errors).length === 0 ? (
            <Problem title="You are not signed up" error={signUp.error} />
          ) : null}
          <TextInput
            label="Your name"
            autoComplete="name"
            maxLength={bounds.nameMax}
            {...form.getInputProps("name")}
          />
          <TextInput
            label="E-mail"
            type="email"
            inputMode="email"
            autoComplete="username"
            maxLength={bounds.emailMax}
            {...form.getInputProps("email")}
          />
          <NewPasswordInput {...form.getInputProps("password")} />
          <Button type="submit" loading={signUp.isPending} fullWidth mt="xs">
            Continue
          </Button>
        </Stack>
      </form>
      <SignInInstead>Are you here already?</SignInInstead>
    </Plate>
  );
}
