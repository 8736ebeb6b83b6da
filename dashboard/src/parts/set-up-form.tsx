import { ApiError, type ProvisionedJson } from "@latchkey/sdk/client";
import { Button, Divider, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cacheKeys, visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors, isRefused } from "../failures.ts";
import { AccountNameAndSlug } from "./name-and-slug.tsx";
import { NewPasswordInput } from "./new-password-input.tsx";
import { Problem } from "./problem.tsx";

interface SetUpFormProps {
  secret: string;
  onDone: (answer: ProvisionedJson) => void;
}

/** Who the first owner is, and what their account is called. */
export function SetUpForm({ secret, onDone }: SetUpFormProps) {
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { name: "", email: "", password: "", accountName: "", accountSlug: "" },
    validate: {
      name: rules.name,
      email: rules.email,
      password: rules.newPassword,
      accountName: rules.name,
      accountSlug: rules.slug,
    },
  });
  const setUp = useMutation({
    // The tokens go to the page's own state, so that no cache ever holds them.
    mutationFn: async () => onDone(await visitor.setUp(setUpBody(secret, form.values))),
    onError: (error) => {
      form.setErrors(fieldErrors(error, serverFields));
      // Somebody else was first: the page asks again and says so.
      if (isRefused(error) && error.status === 409)
        void queryClient.invalidateQueries({ queryKey: cacheKeys.setUp });
    },
  });
  return (
    <form onSubmit={form.onSubmit(() => setUp.mutate())} noValidate aria-label="Set up">
      <Stack>
        {setUp.isError && Object.keys(form.errors).length === 0 ? (
          <SetUpProblem error={setUp.error} />
        ) : null}
        <TextInput
          label="Your name"
          autoComplete="name"
          maxLength={bounds.nameMax}
          {...form.getInputProps("name")}
        />
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          maxLength={bounds.emailMax}
          {...form.getInputProps("email")}
        />
        <NewPasswordInput {...form.getInputProps("password")} />
        <Divider my={4} />
        <AccountNameAndSlug
          name={{ description: "Your team or company.", ...form.getInputProps("accountName") }}
          slug={form.getInputProps("accountSlug")}
        />
        <Button type="submit" loading={setUp.isPending} mt="xs">
          Create account
        </Button>
      </Stack>
    </form>
  );
}

const serverFields: Record<string, string> = {
  name: "name",
  email: "email",
  password: "password",
  "account.name": "accountName",
  "account.slug": "accountSlug",
};

interface SetUpValues {
  name: string;
  email: string;
  password: string;
  accountName: string;
  accountSlug: string;
}

const setUpBody = (secret: string, values: SetUpValues) => ({
  setup_secret: secret,
  name: values.name.trim(),
  email: values.email.trim(),
  password: values.password,
  account: { name: values.accountName.trim(), slug: values.accountSlug },
});

function SetUpProblem({ error }: { error: unknown }) {
  const dead =
    error instanceof ApiError &&
    (error.status === 401 || error.errors.some(({ field }) => field === "setup_secret"));
  if (!dead) return <Problem title="Set-up did not succeed" error={error} />;
  return (
    <Problem
      title="This set-up link no longer works"
      error={error}
      message="It was used already, or is older than 30 minutes. Restart the server to get a new link."
    />
  );
}
