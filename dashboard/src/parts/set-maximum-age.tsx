import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cacheKeys } from "../api.ts";
import { counted } from "../counts.ts";
import { isRefused } from "../failures.ts";
import { isShorter, maximumAgePreview } from "../maximum-age-choices.ts";
import { usePlace } from "../place.ts";
import { Barrier } from "./barrier.tsx";
import { FocusedButton } from "./focused-button.tsx";
import { Problem } from "./problem.tsx";

interface SetMaximumAgeProps {
  /** Days; `null`: none. */
  before: number | null;
  after: number | null;
  onClose: () => void;
}

/** Sets the longest that a key lives, after one was told what that does; then the receipt. */
export function SetMaximumAge({ before, after, onClose }: SetMaximumAgeProps) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const set = useMutation({
    mutationFn: () => client.account.update({ api_key_max_age_days: after }),
    // The ends of keys may have changed in every environment.
    onSettled: () =>
      queryClient.invalidateQueries({ queryKey: cacheKeys.everythingOf(account.slug) }),
  });
  const title =
    after === null ? "Remove the maximum age?" : `Let keys live at most ${counted(after, "day")}?`;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!set.isPending}
      closeOnEscape={!set.isPending}
      title={set.isSuccess ? "Maximum age changed" : title}
    >
      <Stack>
        {set.isSuccess ? (
          <Done days={after} shorter={isShorter(before, after)} />
        ) : (
          <Text fz="sm">
            {maximumAgePreview(before, after)}
            {isShorter(before, after)
              ? " An end that was brought forward stays, also when the maximum is raised again."
              : ""}
          </Text>
        )}
        {set.isPending ? <Barrier /> : null}
        {set.isError ? <SetProblem error={set.error} /> : null}
        <Group justify="flex-end">
          {set.isSuccess ? (
            <FocusedButton onClick={onClose}>Done</FocusedButton>
          ) : (
            <>
              <Button variant="default" onClick={onClose} data-autofocus>
                {set.isIdle ? "Cancel" : "Close"}
              </Button>
              <Button
                {...(isShorter(before, after) ? { color: "red" } : {})}
                loading={set.isPending}
                onClick={() => set.mutate()}
              >
                {set.isError ? "Try again" : after === null ? "Remove maximum" : "Set maximum"}
              </Button>
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

function Done({ days, shorter }: { days: number | null; shorter: boolean }) {
  return (
    <Alert
      role="status"
      color="green"
      variant="light"
      icon={<IconCircleCheck aria-hidden />}
      title={
        days === null ? "Keys have no maximum age" : `Keys live at most ${counted(days, "day")}`
      }
    >
      <Text fz="sm">
        {shorter
          ? "Every verifier has confirmed the ends that were brought forward."
          : "No key's end was changed."}
      </Text>
    </Alert>
  );
}

function SetProblem({ error }: { error: unknown }) {
  if (isRefused(error)) return <Problem title="The maximum age was not changed" error={error} />;
  return (
    <Problem
      title="The maximum age may or may not be changed"
      error={error}
      message="The server did not confirm it. Until it does, count on keys working as long as before. Trying again is safe."
    />
  );
}
