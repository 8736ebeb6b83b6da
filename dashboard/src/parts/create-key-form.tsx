import { ApiError, type ApiKeyJson, type ApiKeyType, type NewApiKey } from "@latchkey/sdk/client";
import { Button, Group, NativeSelect, Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { usePlace } from "../place.ts";
import { daysFromNow, localDateTime } from "../times.ts";
import { Choice } from "./choice.tsx";
import { Problem } from "./problem.tsx";

interface CreateKeyFormProps {
  idempotencyKey: string;
  onIssued: (key: ApiKeyJson) => void;
  onBusy: (busy: boolean) => void;
  onCancel: () => void;
}

interface Values {
  type: ApiKeyType;
  description: string;
  expiry: string;
  /** Local date-time of the native input, used with the expiry "own". */
  expiresAt: string;
}

const expiries = [
  { value: "never", label: "Never" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In 1 year" },
  { value: "own", label: "At a date and time…" },
];

/** Type, description, expiry. */
export function CreateKeyForm({ idempotencyKey, onIssued, onBusy, onCancel }: CreateKeyFormProps) {
  const { environment, client } = usePlace();
  const form = useForm<Values>({
    initialValues: { type: "secret", description: "", expiry: "never", expiresAt: "" },
    validate: {
      description: rules.description,
      expiresAt: (value, values) => (values.expiry === "own" ? ownExpiry(value) : null),
    },
  });
  const create = useMutation({
    // Answers nothing, so that the token is in no cache: it goes to the dialog's own state alone.
    mutationFn: async (body: NewApiKey) =>
      onIssued(await client.apiKeys.create(environment.slug, body, { idempotencyKey })),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onError: (error) => form.setErrors(fieldErrors(error, serverFields(form.values))),
  });
  return (
    <form
      onSubmit={form.onSubmit((values) => create.mutate(newKey(values, Date.now())))}
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
        <NativeSelect label="Expires" data={expiries} {...form.getInputProps("expiry")} />
        {form.values.expiry === "own" ? (
          <TextInput
            type="datetime-local"
            label="Expires at"
            min={localDateTime(Date.now())}
            {...form.getInputProps("expiresAt")}
          />
        ) : null}
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

function ownExpiry(value: string): string | null {
  const ms = new Date(value).getTime();
  if (Number.isNaN(ms)) return "Choose a date and time.";
  return ms <= Date.now() ? "Choose a moment in the future." : null;
}

function newKey(values: Values, nowMs: number): NewApiKey {
  const description = values.description.trim();
  const expiresAt = expiryOf(values, nowMs);
  return {
    type: values.type,
    ...(description === "" ? {} : { description }),
    ...(expiresAt === null ? {} : { expires_at: expiresAt }),
  };
}

function expiryOf(values: Values, nowMs: number): string | null {
  if (values.expiry === "never") return null;
  if (values.expiry === "own") return new Date(values.expiresAt).toISOString();
  return daysFromNow(Number(values.expiry), nowMs);
}

const serverFields = (values: Values): Record<string, string> => ({
  type: "type",
  description: "description",
  expires_at: values.expiry === "own" ? "expiresAt" : "expiry",
});
