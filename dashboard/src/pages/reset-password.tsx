import { ApiError } from "@latchkey/sdk/client";
import { Anchor, Button, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { visitor } from "../api.ts";
import { rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { dropLinkSecret, useLinkSecret } from "../link-secrets.ts";
import { CutLink } from "../parts/cut-link.tsx";
import { NewPasswordInput } from "../parts/new-password-input.tsx";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { SignInInstead } from "../parts/sign-in-instead.tsx";

/** `/reset-password#<token>`: a new password, once. */
export function ResetPasswordPage() {
  const token = useLinkSecret("/reset-password");
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { password: "" },
    validate: { password: rules.newPassword },
  });
  const reset = useMutation({
    mutationFn: (password: string) => visitor.person.resetPassword({ token, password }),
    onSuccess: () => {
      dropLinkSecret("/reset-password");
      // The sessions are over, that of this browser too.
      queryClient.clear();
    },
    onError: (error) => form.setErrors(fieldErrors(error, { password: "password" })),
  });
  if (reset.isSuccess)
    return (
      <Plate title="Password changed" lead="Every session that you had is over.">
        <SignInInstead>The new password works now.</SignInInstead>
      </Plate>
    );
  if (token === "")
    return (
      <CutLink>
        <Text fz="sm">
          Copy it to its very end and open it here, or get <AnotherLink />.
        </Text>
      </CutLink>
    );
  if (isDead(reset.error))
    return (
      <Plate title="This link no longer works" lead="It works once, for 30 minutes.">
        <Text fz="sm">
          Get <AnotherLink />.
        </Text>
      </Plate>
    );
  return (
    <Plate title="Choose a new password" lead="All your sessions end, on every device.">
      <form
        noValidate
        aria-label="Choose a password"
        onSubmit={form.onSubmit(({ password }) => reset.mutate(password))}
      >
        <Stack>
          {reset.isError && Object.keys(form.errors).length === 0 ? (
            <Problem title="The password was not changed" error={reset.error} />
          ) : null}
          <NewPasswordInput label="New password" {...form.getInputProps("password")} />
          <Button type="submit" loading={reset.isPending} fullWidth mt="xs">
            Change password
          </Button>
        </Stack>
      </form>
    </Plate>
  );
}

/** Wrong, used and too old are one and the same. */
const isDead = (error: unknown): boolean =>
  error instanceof ApiError &&
  ([400, 401, 404].includes(error.status) || error.errors.some(({ field }) => field === "token"));

function AnotherLink() {
  return (
    <Anchor
      inherit
      underline="always"
      renderRoot={(props) => <Link to="/forgot-password" {...props} />}
    >
      another link
    </Anchor>
  );
}
