import { Anchor, Button, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { CodeInput } from "./code-input.tsx";
import styles from "./second-factor.module.css";
import { SignInProblem } from "./sign-in-problem.tsx";
import { Ways } from "./ways.tsx";

interface CodeFormProps {
  onDone: () => void;
  onStartAgain: () => void;
}

/** The second step of signing in: a code of the moment, or one of the recovery codes. */
export function CodeForm({ onDone, onStartAgain }: CodeFormProps) {
  const [recovering, setRecovering] = useState(false);
  const form = useForm({
    initialValues: { code: "" },
    validate: { code: recovering ? rules.recoveryCode : rules.code },
  });
  const verify = useMutation({
    mutationFn: () => {
      const code = form.values.code.replace(/\s/g, "");
      return recovering
        ? visitor.person.verifyRecoveryCode({ code })
        : visitor.person.verifyCode({ code });
    },
    onSuccess: onDone,
    onError: () => form.reset(),
  });
  const turn = (): void => {
    setRecovering(!recovering);
    form.reset();
    verify.reset();
  };
  return (
    <form onSubmit={form.onSubmit(() => verify.mutate())} noValidate aria-label="Second factor">
      <Stack>
        {verify.isError ? (
          <SignInProblem
            key={verify.submittedAt}
            title="Not signed in"
            wrong={
              recovering
                ? "This is none of your recovery codes, or it was used already. If you waited for long, start again."
                : "The code is wrong or too old. Wait for the next one. If you waited for long, start again."
            }
            error={verify.error}
          />
        ) : null}
        {recovering ? (
          <TextInput
            key="recovery"
            label="Recovery code"
            description="One of those you saved when you turned the second factor on. Each works once."
            autoComplete="off"
            autoCapitalize="none"
            maxLength={bounds.codeMax}
            spellCheck={false}
            classNames={{ input: styles.code ?? "" }}
            autoFocus
            {...form.getInputProps("code")}
          />
        ) : (
          <CodeInput key="code" autoFocus {...form.getInputProps("code")} />
        )}
        <Button type="submit" loading={verify.isPending} fullWidth mt="xs">
          Sign in
        </Button>
        <Ways>
          <Anchor inherit component="button" type="button" onClick={turn}>
            {recovering ? "Use a code of the app" : "Use a recovery code"}
          </Anchor>
          <Anchor inherit component="button" type="button" onClick={onStartAgain}>
            Start again
          </Anchor>
        </Ways>
      </Stack>
    </form>
  );
}
