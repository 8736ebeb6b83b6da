import type { EnvironmentJson } from "@latchkey/sdk/client";
import { Button, Group, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { rules } from "../bounds.ts";
import { fieldErrors, isRefused } from "../failures.ts";
import { usePlace } from "../place.ts";
import { NameAndSlug } from "./name-and-slug.tsx";
import { Problem } from "./problem.tsx";

interface AddEnvironmentFormProps {
  idempotencyKey: string;
  onAdded: (environment: EnvironmentJson) => void;
  onBusy: (busy: boolean) => void;
  onCancel: () => void;
}

/** Name and slug of a new environment. */
export function AddEnvironmentForm(props: AddEnvironmentFormProps) {
  const { idempotencyKey, onAdded, onBusy, onCancel } = props;
  const { client } = usePlace();
  const form = useForm({
    initialValues: { name: "", slug: "" },
    validate: { name: rules.name, slug: rules.slug },
  });
  const add = useMutation({
    // Answers nothing: the tokens go to the dialog's own state alone.
    mutationFn: async (body: { name: string; slug: string }) =>
      onAdded(await client.environments.create(body, { idempotencyKey })),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    // Of an environment only the slug can be in conflict.
    onError: (error) =>
      form.setErrors(
        isRefused(error) && error.status === 409
          ? { slug: error.message }
          : fieldErrors(error, { name: "name", slug: "slug" }),
      ),
  });
  return (
    <form
      onSubmit={form.onSubmit(({ name, slug }) => add.mutate({ name: name.trim(), slug }))}
      noValidate
      aria-label="Add environment"
    >
      <Stack>
        {add.isError && Object.keys(form.errors).length === 0 ? (
          <Problem title="The environment was not added" error={add.error} />
        ) : null}
        <NameAndSlug
          name={{
            label: "Name",
            placeholder: "Staging",
            "data-autofocus": true,
            ...form.getInputProps("name"),
          }}
          slug={{
            label: "Slug",
            description:
              "What programs and addresses call it. It never changes and is never given out again.",
            ...form.getInputProps("slug"),
          }}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel} disabled={add.isPending}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending}>
            Add
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
