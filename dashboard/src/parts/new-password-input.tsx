import { PasswordInput, type PasswordInputProps } from "@mantine/core";
import { bounds } from "../bounds.ts";

/** A password to be chosen, with what makes a good one. */
export function NewPasswordInput(props: PasswordInputProps) {
  return (
    <PasswordInput
      label="Password"
      description={`${bounds.passwordMin} to ${bounds.passwordMax} characters. A few words are better than one clever one.`}
      autoComplete="new-password"
      {...props}
    />
  );
}
