import { Button, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { visitor } from "../api.ts";
import { isRefused } from "../failures.ts";
import { dropLinkSecret, useLinkSecret } from "../link-secrets.ts";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { SignInInstead } from "../parts/sign-in-instead.tsx";

/**
 * `/verify-email#<token>`: the address is its reader's. Confirmed by a click, for programs that look into mails open
 * links too, and would confirm what nobody has read.
 */
export function VerifyEmailPage() {
  const token = useLinkSecret("/verify-email");
  const verify = useMutation({
    mutationFn: () => visitor.person.verifyEmail({ token }),
    onSuccess: () => dropLinkSecret("/verify-email"),
  });
  if (verify.isSuccess)
    return (
      <Plate title="Address confirmed" lead="Thank you. It is yours.">
        <SignInInstead>You can use it now.</SignInInstead>
      </Plate>
    );
  const dead = isRefused(verify.error) && verify.error.status !== 429;
  if (token === "" || dead)
    return (
      <Plate
        title={token === "" ? "Use the whole link" : "This link no longer works"}
        lead={
          token === "" ? "The part after “#” is missing." : "It was used already, or is too old."
        }
      >
        <Text fz="sm">
          If your address is confirmed already, you can sign in. If not, signing up again sends a
          new link.
        </Text>
        <SignInInstead />
      </Plate>
    );
  return (
    <Plate title="Confirm your e-mail address" lead="So that nobody signs up with another’s.">
      {verify.isError ? <Problem title="Not confirmed" error={verify.error} /> : null}
      <Button loading={verify.isPending} onClick={() => verify.mutate()}>
        Confirm
      </Button>
    </Plate>
  );
}
