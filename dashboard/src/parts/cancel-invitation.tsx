import { ApiError, type InvitationJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { cacheKeys } from "../api.ts";
import { usePlace } from "../place.ts";
import { ROLES } from "../roles.ts";
import { PersonCard } from "./person-card.tsx";
import { Problem } from "./problem.tsx";

interface CancelInvitationProps {
  invitation: InvitationJson;
  onClose: () => void;
}

/** Takes an invitation back, unless it was accepted already. */
export function CancelInvitation({ invitation, onClose }: CancelInvitationProps) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => client.invitations.cancel(invitation.id),
    onSuccess: () => onClose(),
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: cacheKeys.invitations(account.slug) }),
        queryClient.invalidateQueries({ queryKey: cacheKeys.members(account.slug) }),
      ]),
  });
  const gone = cancel.error instanceof ApiError && cancel.error.status === 404;
  return (
    <Modal opened onClose={onClose} title="Cancel invitation">
      <Stack>
        <PersonCard name={ROLES[invitation.role].name} email={invitation.email} />
        {cancel.isError ? (
          <Problem
            title="There was nothing to cancel"
            {...(gone
              ? { message: "The invitation was accepted, replaced or cancelled meanwhile." }
              : { title: "The invitation was not cancelled" })}
            error={cancel.error}
          />
        ) : (
          <Text fz="sm">The link that they have stops working. You can invite them again.</Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {gone ? "Close" : "Keep it"}
          </Button>
          {gone ? null : (
            <Button color="red" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              {cancel.isError ? "Try again" : "Cancel invitation"}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
