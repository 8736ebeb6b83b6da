import { ApiError, type ApiKeyJson, type ApiKeyType, type NewApiKey } from "@latchkey/sdk/client";
import { Button, Group, Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { bounds, rules } from "../bounds.ts";
import {
  type AgeLimit,
  type ExpiryChoice,
  endOf,
  expiryProblem,
  limitOfNew,
  NO_EXPIRY_CHOICE,
} from "../expiry-choices.ts";
import { fieldErrors } from "../failures.ts";
import { usePlace } from "../place.ts";
import { Choice } from "./choice.tsx";
import { ExpiryFields } from "./expiry-fields.tsx";
import { Problem } from "./problem.tsx";
import { useMaximumAge } from "./use-maximum-age.ts";
import { useNow } from "./use-now.ts";

interface CreateKeyFormProps {
  idempotencyKey: string;
  onIssued: (key: ApiKeyJson) => void;
  onBusy: (busy: boolean) => void;
  onCancel: () => void;
}

interface Values {
  type: ApiKeyType;
  description: string;
  expiry: ExpiryChoice;
}

/** Type, description, expiry. */
export function CreateKeyForm({ idempotencyKey, onIssued, onBusy, onCancel }: CreateKeyFormProps) {
  const { environment, client } = usePlace();
  const maximumDays = useMaximumAge();
  const nowMs = useNow();
  const limitAt = (nowMs: number): AgeLimit | null => limitOfNew(maximumDays, nowMs);
  const form = useForm<Values>({
    initialValues: { type: "secret", description: "", expiry: NO_EXPIRY_CHOICE },
    validate: {
      description: rules.description,
      expiry: (choice) => expiryProblem(choice, limitAt(Date.now()), Date.now()),
    },
  });
  const create = useMutation({
    // Answers nothing, so that the token is in no cache: it goes to the dialog's own state alone.
    mutationFn: async (body: NewApiKey) =>
      onIssued(await client.apiKeys.create(environment.slug, body, { idempotencyKey })),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onError: (error) => form.setErrors(fieldErrors(error, serverFields)),
  });
  return (
    <form
      onSubmit={form.onSubmit((values) =>
        create.mutate(newKey(values, limitAt(Date.now()), Date.now())),
      )}
      noValidate
      aria-label="Create API key"
    >
      <Stack>
        {create.isError && Object.keys(form.errors).length === 0 ? (
          <CreateProblem error={create.error} />
        ) : null}
        <Radio.Group label="Type" {...form.getInputProps("type")}>
          <Stack gap="xs" mt={6}>
            <Choice
              value="secret"
              name="Secret"
              text="For your servers. Whoever has it can call the API as you."
              autoFocus
            />
            <Choice
              value="public"
              name="Public"
              text="May be seen by anybody, e.g. in a browser or an app. Your API decides what it allows."
            />
          </Stack>
        </Radio.Group>
        <TextInput
          label="Description (optional)"
          placeholder="What uses this key, e.g. billing worker"
          maxLength={bounds.descriptionMax}
          {...form.getInputProps("description")}
        />
        <ExpiryFields
          choice={form.values.expiry}
          onChange={(choice) => form.setFieldValue("expiry", choice)}
          limit={limitAt(nowMs)}
          nowMs={nowMs}
          error={form.errors.expiry}
        />
        <Group justify="flex-end" mt="xs">
          <Button variant="default" onClick={onCancel} disabled={create.isPending}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Create
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function CreateProblem({ error }: { error: unknown }) {
  const changed = error instanceof ApiError && error.code === "idempotency_mismatch";
  return (
    <Problem
      title="No key was shown"
      error={error}
      message={
        changed
          ? "An earlier attempt with other values went through. Close this dialog and look for its key in the list."
          : undefined
      }
    />
  );
}

function newKey(values: Values, limit: AgeLimit | null, nowMs: number): NewApiKey {
  const description = values.description.trim();
  const end = endOf(values.expiry, limit, nowMs);
  return {
    type: values.type,
    ...(description === "" ? {} : { description }),
    ...(end === null || end === undefined ? {} : { expires_at: end }),
  };
}

const serverFields = { type: "type", description: "description", expires_at: "expiry" } as const;
