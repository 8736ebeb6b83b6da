import { Anchor, Button, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors, isRefused } from "../failures.ts";
import { dropLinkSecret, useLinkSecret } from "../link-secrets.ts";
import { CutLink } from "../parts/cut-link.tsx";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { SignInInstead } from "../parts/sign-in-instead.tsx";

/**
 * `/verify-email#<token>`: the address is its reader's. With the password that they chose: somebody else may have signed
 * up under their address before them, and must not be let in by their click.
 */
export function VerifyEmailPage() {
  const token = useLinkSecret("/verify-email");
  const form = useForm({
    initialValues: { password: "" },
    validate: { password: rules.password },
  });
  const verify = useMutation({
    mutationFn: (password: string) => visitor.person.verifyEmail({ token, password }),
    onSuccess: () => dropLinkSecret("/verify-email"),
    onError: (error) =>
      form.setErrors(
        isRefused(error) && error.status === 401
          ? { password: "This is not the password, or the link is older than an hour." }
          : fieldErrors(error, { password: "password" }),
      ),
  });
  if (verify.isSuccess)
    return (
      <Plate title="Address confirmed" lead="Thank you. It is yours.">
        <SignInInstead>You can use it now.</SignInInstead>
      </Plate>
    );
  if (token === "")
    return (
      <CutLink>
        <Text fz="sm">
          If your address is confirmed already, you can sign in. If not, signing up again sends a
          new link.
        </Text>
        <SignInInstead />
      </CutLink>
    );
  return (
    <Plate title="Confirm your e-mail address" lead="So that nobody signs up with another’s.">
      <form
        noValidate
        aria-label="Confirm the address"
        onSubmit={form.onSubmit(({ password }) => verify.mutate(password))}
      >
        <Stack>
          {verify.isError && Object.keys(form.errors).length === 0 ? (
            <Problem title="Not confirmed" error={verify.error} />
          ) : null}
          <PasswordInput
            label="Enter the password you chose"
            autoComplete="current-password"
            maxLength={bounds.passwordMax}
            {...form.getInputProps("password")}
          />
          <Button type="submit" loading={verify.isPending} fullWidth mt="xs">
            Confirm
          </Button>
        </Stack>
      </form>
      <Text fz="sm">
        You do not know it, or did not sign up?{" "}
        <Anchor
          inherit
          underline="always"
          renderRoot={(props) => <Link to="/forgot-password" {...props} />}
        >
          Choose another one
        </Anchor>
      </Text>
    </Plate>
  );
}
