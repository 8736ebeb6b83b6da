import { ApiError } from "@latchkey/sdk/client";
import { Button, Group, Stack, TextInput, type TextInputProps } from "@mantine/core";
import type { FormEventHandler, ReactNode } from "react";
import { bounds } from "../bounds.ts";
import type { Token } from "../tokens.ts";
import { Problem } from "./problem.tsx";

/** What every form that creates a token is given by its dialog. */
export interface TokenFormProps {
  idempotencyKey: string;
  onCreated: (token: Token) => void;
  onBusy: (busy: boolean) => void;
  onCancel: () => void;
}

interface TokenFormFrameProps {
  onSubmit: FormEventHandler<HTMLFormElement>;
  onCancel: () => void;
  /** What became of the sending; an error that stands at a field already is `null`. */
  creation: { isPending: boolean; error: unknown };
  name: TextInputProps;
  /** What it uses, for the name's placeholder. */
  example: string;
  /** The other fields. */
  children: ReactNode;
}

/** What such forms have in common: the name, what went wrong, and the buttons. */
export function TokenForm(props: TokenFormFrameProps) {
  const { onSubmit, onCancel, creation, name, example, children } = props;
  return (
    <form onSubmit={onSubmit} noValidate aria-label="Create token">
      <Stack>
        {creation.error === null ? null : <CreateProblem error={creation.error} />}
        <TextInput
          label="Name"
          placeholder={`What uses it, e.g. ${example}`}
          maxLength={bounds.tokenNameMax}
          autoComplete="off"
          data-autofocus
          {...name}
        />
        {children}
        <Group justify="flex-end" mt="xs">
          <Button variant="default" onClick={onCancel} disabled={creation.isPending}>
            Cancel
          </Button>
          <Button type="submit" loading={creation.isPending}>
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
