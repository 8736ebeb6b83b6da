import type { ProvisionedJson } from "@latchkey/sdk/client";
import { Anchor, Button, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { cacheKeys, meQuery, visitor } from "../api.ts";
import { rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { AccountNameAndSlug } from "../parts/name-and-slug.tsx";
import { Plate } from "../parts/plate.tsx";
import { Problem } from "../parts/problem.tsx";
import { FirstKeys } from "./first-keys.tsx";
import { ShellFailure } from "./not-found.tsx";

/** `/new-account`: an account of one's own where sign-up is open, and then its keys. */
export function NewAccountPage() {
  const me = useQuery(meQuery);
  const queryClient = useQueryClient();
  // In this component alone, and gone with it: these tokens are shown once.
  const [provisioned, setProvisioned] = useState<ProvisionedJson | null>(null);
  if (provisioned !== null) return <FirstKeys provisioned={provisioned} />;
  if (me.data === undefined)
    return me.isError ? (
      <ShellFailure error={me.error} onRetry={me.refetch} />
    ) : (
      <Plate title="Create an account" />
    );
  if (me.data.sign_up !== "open" || me.data.person.confined)
    return (
      <Plate title="By invitation" lead="People do not create accounts here by themselves.">
        <Text fz="sm">
          Whoever runs this Latchkey creates them. <Back />
        </Text>
      </Plate>
    );
  return (
    <Plate
      title={me.data.accounts.length === 0 ? "Create your first account" : "Create an account"}
      lead="For your team or company. You own it, and invite the others."
    >
      <AccountForm
        onDone={(answer) => {
          setProvisioned(answer);
          void queryClient.invalidateQueries({ queryKey: cacheKeys.me });
        }}
      />
      {me.data.accounts.length === 0 ? null : (
        <Text fz="sm">
          <Back />
        </Text>
      )}
    </Plate>
  );
}

function Back() {
  return (
    <Anchor inherit underline="always" renderRoot={(props) => <Link to="/" {...props} />}>
      Back to your account
    </Anchor>
  );
}

function AccountForm({ onDone }: { onDone: (answer: ProvisionedJson) => void }) {
  const form = useForm({
    initialValues: { name: "", slug: "" },
    validate: { name: rules.name, slug: rules.slug },
  });
  const create = useMutation({
    // The tokens go to the page's own state, so that no cache ever holds them.
    mutationFn: async (body: { name: string; slug: string }) =>
      onDone(await visitor.person.createAccount(body)),
    onError: (error) => form.setErrors(fieldErrors(error, { name: "name", slug: "slug" })),
  });
  return (
    <form
      noValidate
      aria-label="Create account"
      onSubmit={form.onSubmit(({ name, slug }) => create.mutate({ name: name.trim(), slug }))}
    >
      <Stack>
        {create.isError && Object.keys(form.errors).length === 0 ? (
          <Problem title="The account was not created" error={create.error} />
        ) : null}
        <AccountNameAndSlug name={form.getInputProps("name")} slug={form.getInputProps("slug")} />
        <Button type="submit" loading={create.isPending} mt="xs">
          Create account
        </Button>
      </Stack>
    </form>
  );
}
