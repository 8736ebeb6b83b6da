import type { InvitationJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys, setUpQuery } from "../api.ts";
import { usePlace } from "../place.ts";
import { ROLES } from "../roles.ts";
import { PersonCard } from "./person-card.tsx";
import { Problem } from "./problem.tsx";
import { SentInvitation } from "./sent-invitation.tsx";

interface SendInvitationProps {
  invitation: InvitationJson;
  onClose: () => void;
}

/** Renews an invitation: the old link dies, and a new one is mailed or shown, this once. */
export function SendInvitation({ invitation, onClose }: SendInvitationProps) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const mails = useQuery(setUpQuery).data?.mail ?? invitation.mailed;
  const [sent, setSent] = useState<InvitationJson | null>(null);
  const send = useMutation({
    mutationFn: async () => setSent(await client.invitations.send(invitation.id)),
    onSettled: () =>
      queryClient.invalidateQueries({ queryKey: cacheKeys.invitations(account.slug) }),
  });
  const title = mails ? "Send again" : "Get a new link";
  const closable = sent === null && !send.isPending;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={closable}
      closeOnEscape={closable}
      withCloseButton={closable}
      title={sent === null ? title : "Invited anew"}
    >
      {sent !== null ? (
        <SentInvitation invitation={sent} onDone={onClose} />
      ) : (
        <Stack>
          <PersonCard name={ROLES[invitation.role].name} email={invitation.email} />
          {send.isError ? (
            <Problem title="The invitation was not renewed" error={send.error} />
          ) : (
            <Text fz="sm">
              The link they may have already stops working, and the new one works for seven days.
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button data-autofocus loading={send.isPending} onClick={() => send.mutate()}>
              {send.isError ? "Try again" : title}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
