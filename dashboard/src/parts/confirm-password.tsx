import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { bounds, rules } from "../bounds.ts";
import { isWrongPassword } from "./change-password.tsx";
import { Problem } from "./problem.tsx";

interface ConfirmPasswordProps {
  /** The form's name, e.g. "Turn off". */
  label: string;
  /** What could not be done, when it could not. */
  failed: string;
  /** Does what the password is asked for; may throw. */
  onConfirm: (password: string) => Promise<void>;
  onCancel?: (() => void) | undefined;
  danger?: boolean;
  /** What the button does. */
  action: string;
  children?: ReactNode;
}

/** Asks for the password once more before something that a passer-by at an open screen should not do. */
export function ConfirmPassword(props: ConfirmPasswordProps) {
  const { label, failed, onConfirm, onCancel, danger = false, action, children } = props;
  const form = useForm({
    initialValues: { password: "" },
    validate: { password: rules.password },
  });
  const confirm = useMutation({
    mutationFn: onConfirm,
    onError: (error) => {
      form.reset();
      if (isWrongPassword(error)) form.setErrors({ password: "This is not your password." });
    },
  });
  return (
    <form
      noValidate
      aria-label={label}
      onSubmit={form.onSubmit(({ password }) => confirm.mutate(password))}
    >
      <Stack>
        {children}
        {confirm.isError && !isWrongPassword(confirm.error) ? (
          <Problem title={failed} error={confirm.error} />
        ) : null}
        <PasswordInput
          label="Your password"
          autoComplete="current-password"
          maxLength={bounds.passwordMax}
          data-autofocus
          {...form.getInputProps("password")}
        />
        <Group justify="flex-end">
          {onCancel === undefined ? null : (
            <Button variant="default" onClick={onCancel} disabled={confirm.isPending}>
              Cancel
            </Button>
          )}
          <Button type="submit" loading={confirm.isPending} {...(danger ? { color: "red" } : {})}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
