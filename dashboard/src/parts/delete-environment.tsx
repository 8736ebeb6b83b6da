import type { Client, EnvironmentJson } from "@latchkey/sdk/client";
import { Button, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { bounds } from "../bounds.ts";
import { isRefused } from "../failures.ts";
import { usePlace } from "../place.ts";
import { Barrier } from "./barrier.tsx";
import { FocusedButton } from "./focused-button.tsx";
import { Problem } from "./problem.tsx";
import { AlreadyGone, Receipt } from "./receipt.tsx";

interface DeleteEnvironmentProps {
  environment: EnvironmentJson;
  onClose: () => void;
}

/** Deletes an environment after its slug was typed; shows the receipt of its keys' end. */
export function DeleteEnvironment({ environment, onClose }: DeleteEnvironmentProps) {
  const { client } = usePlace();
  const forget = useForget(environment);
  const [typed, setTyped] = useState("");
  const [recorded, setRecorded] = useState(false);
  const remove = useMutation({
    mutationFn: () => client.environments.delete(environment.slug),
    onSuccess: forget,
    // Nobody can read the receipt of what is gone; that it is gone is known before a failed answer is shown.
    async onError(error) {
      if (isRefused(error) ? !isGone(error) : !(await isDeleted(client, environment))) return;
      setRecorded(true);
      await forget();
    },
  });
  const over = remove.isSuccess || isGone(remove.error);
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!remove.isPending}
      closeOnEscape={!remove.isPending}
      title={over || recorded ? `${environment.name} is deleted` : `Delete ${environment.name}?`}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === environment.slug && !remove.isPending && !over) remove.mutate();
        }}
      >
        <Stack>
          {remove.isSuccess ? <Receipt revocation={remove.data.revocation} /> : null}
          {remove.isPending ? <Barrier /> : null}
          {remove.isError ? <Failed error={remove.error} recorded={recorded} /> : null}
          {over || recorded || remove.isPending ? null : (
            <Confirmation slug={environment.slug} typed={typed} onType={setTyped} />
          )}
          <Group justify="flex-end">
            {over ? null : (
              <Button variant="default" onClick={onClose}>
                {remove.isIdle ? "Cancel" : "Close"}
              </Button>
            )}
            {over ? (
              <FocusedButton onClick={onClose}>Done</FocusedButton>
            ) : recorded && remove.isError ? (
              <FocusedButton type="submit">Check again</FocusedButton>
            ) : (
              <Button
                type="submit"
                color="red"
                disabled={typed !== environment.slug}
                loading={remove.isPending}
              >
                {remove.isError ? "Try again" : "Delete environment"}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface ConfirmationProps {
  slug: string;
  typed: string;
  onType: (typed: string) => void;
}

/** What it means, and the slug to be typed: nobody deletes the wrong one by a click. */
function Confirmation({ slug, typed, onType }: ConfirmationProps) {
  return (
    <>
      <Text fz="sm">
        All its keys are refused at once, everywhere. This is final, and nobody can use the slug{" "}
        <Code>{slug}</Code> again.
      </Text>
      <TextInput
        label={`Type ${slug} to confirm`}
        value={typed}
        onChange={(event) => onType(event.currentTarget.value)}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        data-autofocus
      />
    </>
  );
}

/** Drops what is cached of the environment, and leaves it first if this is where one stands. */
function useForget(gone: EnvironmentJson): () => Promise<void> {
  const { account, environment: current, environments } = usePlace();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return async () => {
    const next = environments.find((one) => one.id !== gone.id);
    if (gone.id === current.id && next !== undefined)
      await navigate({
        to: "/$account/$environment/settings/environments",
        params: { account: account.slug, environment: next.slug },
        replace: true,
      });
    queryClient.removeQueries({ queryKey: cacheKeys.apiKeys(account.slug, gone.slug) });
    await queryClient.invalidateQueries({ queryKey: cacheKeys.environments(account.slug) });
  };
}

/** "Not there": the server says so only when none of its keys is accepted anywhere any more. */
const isGone = (error: unknown): boolean => isRefused(error) && error.status === 404;

/** Whether the environment is certainly deleted; `false` also when nobody answers. */
const isDeleted = (client: Client, environment: EnvironmentJson): Promise<boolean> =>
  client.environments.list({ page_size: bounds.environmentsMax }).then(
    ({ entries }) => entries.every(({ id }) => id !== environment.id),
    () => false,
  );

/** What a call that failed means for the environment. */
function Failed({ error, recorded }: { error: unknown; recorded: boolean }) {
  if (isGone(error)) return <AlreadyGone />;
  if (recorded) return <Receipt revocation={null} />;
  if (isRefused(error)) return <Problem title="The environment was not deleted" error={error} />;
  return (
    <Problem
      title="The environment may or may not be deleted"
      error={error}
      message="The server did not confirm it. Until it does, count on its keys still working. Trying again is safe."
    />
  );
}
