import { ApiError } from "@latchkey/sdk/client";
import { Alert, Anchor, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconInfoCircle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { NewPasswordInput } from "./new-password-input.tsx";
import { Problem } from "./problem.tsx";

interface JoinFormProps {
  /** The address invited, which becomes the sign-in's. */
  email: string;
  accept: {
    mutate: (newcomer: { name: string; password: string }) => void;
    isPending: boolean;
    error: unknown;
  };
}

const back = { to: "/invitation" };

/** Makes a sign-in and joins with it; or the way to sign in, and back here. */
export function JoinForm({ email, accept }: JoinFormProps) {
  const form = useForm({
    initialValues: { name: "", password: "" },
    validate: { name: rules.name, password: rules.newPassword },
  });
  if (accept.error instanceof ApiError && accept.error.status === 409)
    return (
      <>
        <Alert color="cobalt" variant="light" icon={<IconInfoCircle aria-hidden />}>
          <Text fz="sm">{email} has a sign-in here already. Sign in with it, then join.</Text>
        </Alert>
        <Group>
          <Button renderRoot={(props) => <Link to="/sign-in" search={back} {...props} />}>
            Sign in
          </Button>
        </Group>
      </>
    );
  const errors = fieldErrors(accept.error, { name: "name", password: "password" });
  return (
    <form
      noValidate
      aria-label="Join"
      onSubmit={form.onSubmit(({ name, password }) =>
        accept.mutate({ name: name.trim(), password }),
      )}
    >
      <Stack>
        {accept.error !== null && Object.keys(errors).length === 0 ? (
          <Problem title="You did not join" error={accept.error} />
        ) : null}
        <TextInput label="E-mail" type="email" autoComplete="username" value={email} readOnly />
        <TextInput
          label="Your name"
          autoComplete="name"
          maxLength={bounds.nameMax}
          {...form.getInputProps("name")}
          error={form.errors.name ?? errors.name}
        />
        <NewPasswordInput
          {...form.getInputProps("password")}
          error={form.errors.password ?? errors.password}
        />
        <Button type="submit" loading={accept.isPending} fullWidth mt="xs">
          Create a sign-in and join
        </Button>
        <Text fz="sm">
          <Anchor inherit renderRoot={(props) => <Link to="/sign-in" search={back} {...props} />}>
            I have a sign-in
          </Anchor>
        </Text>
      </Stack>
    </form>
  );
}
