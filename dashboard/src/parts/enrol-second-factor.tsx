import { ApiError, type TwoFactorEnrolmentJson } from "@latchkey/sdk/client";
import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { visitor } from "../api.ts";
import { rules } from "../bounds.ts";
import { CodeInput } from "./code-input.tsx";
import { ConfirmPassword } from "./confirm-password.tsx";
import { Problem } from "./problem.tsx";
import { QrCode } from "./qr-code.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";
import styles from "./second-factor.module.css";
import { TokenField } from "./token-field.tsx";

interface EnrolSecondFactorProps {
  email: string;
  /** It is on, and the recovery codes are on the screen: what holds this must not go before `onDone`. */
  onEnrolled: () => void;
  onDone: () => void;
}

/** Turns the second factor on: password, app, a code of it to prove that it works, and the recovery codes. */
export function EnrolSecondFactor({ email, onEnrolled, onDone }: EnrolSecondFactorProps) {
  // In this component alone, and gone with it.
  const [enrolment, setEnrolment] = useState<TwoFactorEnrolmentJson | null>(null);
  const [on, setOn] = useState(false);
  if (enrolment === null)
    return (
      <ConfirmPassword
        label="Turn on the second factor"
        failed="The second factor was not turned on"
        action="Continue"
        onConfirm={async (password) =>
          setEnrolment(await visitor.person.enableTwoFactor({ password }))
        }
      >
        <Text fz="sm">
          You need an authenticator app, e.g. the one of your password manager or phone. Signing in
          as {email} takes its code then, and ends your other sessions now.
        </Text>
      </ConfirmPassword>
    );
  if (on) return <RecoveryCodes codes={enrolment.recovery_codes} onDone={onDone} />;
  return (
    <Confirm
      uri={enrolment.totp_uri}
      onConfirmed={() => {
        setOn(true);
        onEnrolled();
      }}
    />
  );
}

function Confirm({ uri, onConfirmed }: { uri: string; onConfirmed: () => void }) {
  const form = useForm({ initialValues: { code: "" }, validate: { code: rules.code } });
  const confirm = useMutation({
    mutationFn: (code: string) => visitor.person.verifyCode({ code: code.replace(/\s/g, "") }),
    onSuccess: onConfirmed,
    onError: (error) => {
      form.reset();
      if (isWrongCode(error))
        form.setErrors({ code: "The code is wrong or too old. Try the one that is shown now." });
    },
  });
  return (
    <form
      noValidate
      aria-label="Confirm the code"
      onSubmit={form.onSubmit(({ code }) => confirm.mutate(code))}
    >
      <Stack>
        <div className={styles.enrol}>
          <QrCode text={uri} label="QR code with the setup key" />
          <Stack gap="sm">
            <Text fz="sm">
              Scan this with your authenticator app. If it has no camera, type the setup key into
              it.
            </Text>
            <TokenField label="Setup key" token={setupKeyOf(uri)} />
          </Stack>
        </div>
        {confirm.isError && !isWrongCode(confirm.error) ? (
          <Problem title="The second factor was not turned on" error={confirm.error} />
        ) : null}
        <CodeInput data-autofocus autoFocus {...form.getInputProps("code")} />
        <Group justify="flex-end">
          <Button type="submit" loading={confirm.isPending}>
            Turn on
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const isWrongCode = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === "invalid_credentials" || error.status === 422);

/** The secret that the app keeps, as people type it. */
const setupKeyOf = (uri: string): string => new URL(uri).searchParams.get("secret") ?? "";
