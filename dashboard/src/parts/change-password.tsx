import { ApiError } from "@latchkey/sdk/client";
import { Alert, Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cacheKeys, visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import styles from "./keys.module.css";
import { NewPasswordInput } from "./new-password-input.tsx";
import { Problem } from "./problem.tsx";

/** Another password, for whoever knows the present one. */
export function ChangePassword({ email }: { email: string }) {
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { current: "", next: "" },
    validate: {
      current: rules.password,
      next: rules.newPassword,
    },
  });
  const change = useMutation({
    mutationFn: ({ current, next }: { current: string; next: string }) =>
      visitor.person.changePassword({ current_password: current, password: next }),
    onSuccess: async () => {
      form.reset();
      await queryClient.invalidateQueries({ queryKey: cacheKeys.sessions });
    },
    onError: (error) =>
      form.setErrors(
        isWrongPassword(error)
          ? { current: "This is not your password." }
          : fieldErrors(error, { current_password: "current", password: "next" }),
      ),
  });
  return (
    <div className={styles.card}>
      <form
        noValidate
        aria-label="Change password"
        onSubmit={form.onSubmit((values) => change.mutate(values))}
      >
        <Stack maw={420}>
          {change.isSuccess ? (
            <Alert
              role="status"
              color="green"
              variant="light"
              icon={<IconCircleCheck aria-hidden />}
              title="Password changed"
            >
              <Text fz="sm">Your other sessions are over.</Text>
            </Alert>
          ) : null}
          {change.isError && Object.keys(form.errors).length === 0 ? (
            <Problem title="The password was not changed" error={change.error} />
          ) : null}
          {/* For password managers, which else would not know whose password it is. */}
          <input type="text" autoComplete="username" value={email} readOnly hidden />
          <PasswordInput
            label="Current password"
            autoComplete="current-password"
            maxLength={bounds.passwordMax}
            {...form.getInputProps("current")}
          />
          <NewPasswordInput label="New password" {...form.getInputProps("next")} />
          <Group>
            <Button type="submit" loading={change.isPending}>
              Change password
            </Button>
          </Group>
        </Stack>
      </form>
    </div>
  );
}

/** Whether the password was refused, rather than the session. */
export const isWrongPassword = (error: unknown): boolean =>
  error instanceof ApiError && error.code === "invalid_credentials";
