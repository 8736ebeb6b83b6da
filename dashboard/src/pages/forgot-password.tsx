import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconMail } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { setUpQuery, visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { SignInInstead } from "../parts/sign-in-instead.tsx";
import { Snippet } from "../parts/snippet.tsx";

/** `/forgot-password`: a link by mail; or, where no mail is sent, whom to ask. */
export function ForgotPasswordPage() {
  const setUp = useQuery(setUpQuery);
  return (
    <Plate title="Forgot your password?" lead="A link lets you choose a new one.">
      <ReadProblem what="This page" query={setUp} />
      {setUp.data === undefined ? null : setUp.data.mail ? <RequestForm /> : <AskTheOperator />}
      <SignInInstead>You know it after all?</SignInInstead>
    </Plate>
  );
}

function RequestForm() {
  const form = useForm({ initialValues: { email: "" }, validate: { email: rules.email } });
  const request = useMutation({
    mutationFn: (email: string) => visitor.person.requestPasswordReset({ email }),
  });
  if (request.isSuccess)
    return (
      <Alert
        role="status"
        color="green"
        variant="light"
        icon={<IconMail aria-hidden />}
        title="Look into your mail"
      >
        <Text fz="sm">
          If somebody signs in here with {request.variables}, a mail with a link is on its way. The
          link works once, for 30 minutes.
        </Text>
      </Alert>
    );
  return (
    <form
      noValidate
      aria-label="Forgot password"
      onSubmit={form.onSubmit(({ email }) => request.mutate(email.trim()))}
    >
      <Stack>
        {request.isError ? <Problem title="Nothing was sent" error={request.error} /> : null}
        <TextInput
          label="E-mail"
          type="email"
          inputMode="email"
          autoComplete="username"
          maxLength={bounds.emailMax}
          {...form.getInputProps("email")}
        />
        <Button type="submit" loading={request.isPending} fullWidth mt="xs">
          Send the link
        </Button>
      </Stack>
    </form>
  );
}

function AskTheOperator() {
  return (
    <Stack gap="sm">
      <Text fz="sm">
        This Latchkey sends no mail. Ask whoever runs it for a link; they get one with this command:
      </Text>
      <Snippet title="Command" code="latchkey people reset-password you@example.com" />
    </Stack>
  );
}
