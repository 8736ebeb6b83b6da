import type { EnvironmentJson } from "@latchkey/sdk/client";
import { Button, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { isRefused } from "../failures.ts";
import { usePlace } from "../place.ts";
import { Barrier } from "./barrier.tsx";
import { FocusedButton } from "./focused-button.tsx";
import { Problem } from "./problem.tsx";
import { Receipt } from "./receipt.tsx";

interface DeleteEnvironmentProps {
  environment: EnvironmentJson;
  onClose: () => void;
}

/** Deletes an environment after its slug was typed; shows the receipt of its keys' end. */
export function DeleteEnvironment({ environment, onClose }: DeleteEnvironmentProps) {
  const { client } = usePlace();
  const forget = useForget(environment);
  const [typed, setTyped] = useState("");
  const remove = useMutation({
    mutationFn: () => client.environments.delete(environment.slug),
    onSuccess: forget,
    // A second try after a lost answer finds nothing: the first one did it.
    onError: (error) => (isGone(error) ? forget() : undefined),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!remove.isPending}
      closeOnEscape={!remove.isPending}
      title={remove.isSuccess ? `${environment.name} is deleted` : `Delete ${environment.name}?`}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === environment.slug && !remove.isPending) remove.mutate();
        }}
      >
        <Stack>
          {remove.isSuccess ? <Receipt revocation={remove.data.revocation} /> : null}
          {remove.isPending ? <Barrier /> : null}
          {remove.isError ? <DeleteProblem error={remove.error} /> : null}
          {remove.isSuccess || remove.isPending ? null : (
            <>
              <Text fz="sm">
                All its keys are refused at once, everywhere. This is final, and nobody can use the
                slug <Code>{environment.slug}</Code> again.
              </Text>
              <TextInput
                label={`Type ${environment.slug} to confirm`}
                value={typed}
                onChange={(event) => setTyped(event.currentTarget.value)}
                spellCheck={false}
                autoCapitalize="none"
                autoComplete="off"
                data-autofocus
              />
            </>
          )}
          <Group justify="flex-end">
            {remove.isSuccess ? (
              <FocusedButton onClick={onClose}>Done</FocusedButton>
            ) : (
              <>
                <Button variant="default" onClick={onClose}>
                  {remove.isIdle ? "Cancel" : "Close"}
                </Button>
                <Button
                  type="submit"
                  color="red"
                  disabled={typed !== environment.slug || isGone(remove.error)}
                  loading={remove.isPending}
                >
                  {remove.isError ? "Try again" : "Delete environment"}
                </Button>
              </>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
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

const isGone = (error: unknown): boolean => isRefused(error) && error.status === 404;

function DeleteProblem({ error }: { error: unknown }) {
  if (isGone(error))
    return (
      <Problem
        title="The environment is already gone"
        error={error}
        message="It was deleted before this attempt, and its keys are refused."
      />
    );
  if (isRefused(error)) return <Problem title="The environment was not deleted" error={error} />;
  return (
    <Problem
      title="The environment may or may not be deleted"
      error={error}
      message="The server did not confirm it. Until it does, count on its keys still working. Trying again is safe."
    />
  );
}
