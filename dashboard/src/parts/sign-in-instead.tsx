import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** A sentence on a page outside the shell that ends on the way to sign-in. */
export function SignInInstead({ children }: { children?: ReactNode }) {
  return (
    <Text fz="sm">
      {children}{" "}
      <Anchor inherit underline="always" renderRoot={(props) => <Link to="/sign-in" {...props} />}>
        Sign in
      </Anchor>
    </Text>
  );
}
