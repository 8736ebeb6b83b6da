import { TextInput, type TextInputProps } from "@mantine/core";
import { bounds } from "../bounds.ts";
import styles from "./second-factor.module.css";

/** The six digits that an authenticator app shows; a phone offers its number pad. */
export function CodeInput(props: TextInputProps) {
  return (
    <TextInput
      label="Code"
      description="The six digits that your authenticator app shows now."
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={bounds.codeMax}
      spellCheck={false}
      classNames={{ input: styles.code ?? "" }}
      {...props}
    />
  );
}
