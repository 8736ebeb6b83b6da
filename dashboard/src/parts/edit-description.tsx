import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cacheKeys } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { usePlace } from "../place.ts";
import { Problem } from "./problem.tsx";

/** Changes what people call a key. */
export function EditDescription({ apiKey, onClose }: { apiKey: ApiKeyJson; onClose: () => void }) {
  const { account, environment, client } = usePlace();
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { description: apiKey.description },
    validate: { description: rules.description },
  });
  const save = useMutation({
    mutationFn: () =>
      client.apiKeys.update(apiKey.id, { description: form.values.description.trim() }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({
        queryKey: cacheKeys.apiKeys(account.slug, environment.slug),
      });
      onClose();
    },
    onError: (error) => form.setErrors(fieldErrors(error, { description: "description" })),
  });
  return (
    <Modal opened onClose={onClose} title={`Edit description of ${apiKey.hint}`}>
      <form onSubmit={form.onSubmit(() => save.mutate())} noValidate>
        <Stack>
          {save.isError && Object.keys(form.errors).length === 0 ? (
            <Problem title="The description was not saved" error={save.error} />
          ) : null}
          <TextInput
            label="Description"
            description={`What uses this key, e.g. “billing worker”. At most ${bounds.descriptionMax} characters.`}
            maxLength={bounds.descriptionMax}
            data-autofocus
            {...form.getInputProps("description")}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
