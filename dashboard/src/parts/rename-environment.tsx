import type { EnvironmentJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cacheKeys } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { usePlace } from "../place.ts";
import { Problem } from "./problem.tsx";

interface RenameEnvironmentProps {
  environment: EnvironmentJson;
  onClose: () => void;
}

/** Changes an environment's name; its slug, which programs know, stays. */
export function RenameEnvironment({ environment, onClose }: RenameEnvironmentProps) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { name: environment.name },
    validate: { name: rules.name },
  });
  const rename = useMutation({
    mutationFn: () =>
      client.environments.rename(environment.slug, { name: form.values.name.trim() }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: cacheKeys.environments(account.slug) });
      onClose();
    },
    onError: (error) => form.setErrors(fieldErrors(error, { name: "name" })),
  });
  return (
    <Modal opened onClose={onClose} title="Rename environment">
      <form onSubmit={form.onSubmit(() => rename.mutate())} noValidate>
        <Stack>
          {rename.isError && Object.keys(form.errors).length === 0 ? (
            <Problem title="The environment was not renamed" error={rename.error} />
          ) : null}
          <TextInput
            label="Name"
            description={`The slug “${environment.slug}” stays as it is.`}
            maxLength={bounds.nameMax}
            data-autofocus
            {...form.getInputProps("name")}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={rename.isPending}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
