import { Alert, Text } from "@mantine/core";
import { IconMail } from "@tabler/icons-react";
import { Plate } from "./plate.tsx";
import { SignInInstead } from "./sign-in-instead.tsx";

/** What somebody sees who made a sign-in under an address that is to be confirmed first. */
export function LookIntoMail({ email }: { email: string }) {
  return (
    <Plate title="Look into your mail" lead="One step is left.">
      <Alert role="status" color="green" variant="light" icon={<IconMail aria-hidden />}>
        <Text fz="sm">
          Open the link that we sent to {email}, and enter your password there: that confirms that
          the address is yours. Then you can sign in.
        </Text>
      </Alert>
      <SignInInstead>Done?</SignInInstead>
    </Plate>
  );
}
