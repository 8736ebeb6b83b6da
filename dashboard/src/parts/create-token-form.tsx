import { ApiError, type NewToken, type TokenJson } from "@latchkey/sdk/client";
import { Button, Group, Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { Choice } from "./choice.tsx";
import { Problem } from "./problem.tsx";

interface CreateTokenFormProps {
  idempotencyKey: string;
  onCreated: (token: TokenJson) => void;
  onBusy: (busy: boolean) => void;
  onCancel: () => void;
}

/** Name and kind. */
export function CreateTokenForm(props: CreateTokenFormProps) {
  const { idempotencyKey, onCreated, onBusy, onCancel } = props;
  const form = useForm<NewToken>({
    initialValues: { name: "", kind: "verifier" },
    validate: { name: rules.tokenName },
  });
  const create = useMutation({
    // Answers nothing, so that the token is in no cache: it goes to the dialog's own state alone.
    mutationFn: async (body: NewToken) =>
      onCreated(await visitor.tokens.create(body, { idempotencyKey })),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onError: (error) => form.setErrors(fieldErrors(error, { name: "name", kind: "kind" })),
  });
  return (
    <form
      onSubmit={form.onSubmit(({ name, kind }) => create.mutate({ name: name.trim(), kind }))}
      noValidate
      aria-label="Create token"
    >
      <Stack>
        {create.isError && Object.keys(form.errors).length === 0 ? (
          <CreateProblem error={create.error} />
        ) : null}
        <TextInput
          label="Name"
          placeholder="What uses it, e.g. checkout service"
          maxLength={bounds.tokenNameMax}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("name")}
        />
        <Radio.Group label="Kind" {...form.getInputProps("kind")}>
          <Stack gap="xs" mt={6}>
            <Choice
              value="verifier"
              name="Verifier"
              text="Lets an app or a server verify keys of every account, and nothing else."
            />
            <Choice
              value="operator"
              name="Operator"
              text="Provisions and deletes accounts, and creates tokens. For your own backend alone."
            />
          </Stack>
        </Radio.Group>
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
      title="No token was shown"
      error={error}
      message={
        changed
          ? "An earlier attempt with other values went through. Close this dialog and look for its token in the list."
          : undefined
      }
    />
  );
}
