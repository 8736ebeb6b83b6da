import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { SignInProblem } from "./sign-in-problem.tsx";

/** E-mail and password. `onDone` hears whether a second factor is due. */
export function PasswordForm({ onDone }: { onDone: (twoFactor: boolean) => void }) {
  const form = useForm({
    initialValues: { email: "", password: "" },
    validate: {
      email: rules.email,
      password: rules.password,
    },
  });
  const signIn = useMutation({
    mutationFn: () =>
      visitor.signIn({ email: form.values.email.trim(), password: form.values.password }),
    onSuccess: ({ two_factor }) => onDone(two_factor === true),
    onError: () => form.setFieldValue("password", ""),
  });
  return (
    <form onSubmit={form.onSubmit(() => signIn.mutate())} noValidate aria-label="Sign in">
      <Stack>
        {signIn.isError ? (
          <SignInProblem
            key={signIn.submittedAt}
            title="Not signed in"
            wrong="E-mail and password do not match. Check both and try again."
            error={signIn.error}
          />
        ) : null}
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
  );
}
