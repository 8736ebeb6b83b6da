import type { InvitationJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconMailCheck } from "@tabler/icons-react";
import { asRole } from "../roles.ts";
import { TokenField } from "./token-field.tsx";

interface SentInvitationProps {
  invitation: InvitationJson;
  onDone: () => void;
}

/** An invitation that was just made or renewed: sent by mail, or with the link to hand over, this once. */
export function SentInvitation({ invitation, onDone }: SentInvitationProps) {
  const { email, role, link, mailed } = invitation;
  return (
    <Stack>
      {link !== undefined ? (
        <>
          <TokenField
            label="Invitation link"
            token={link}
            focused
            hint={`Give it to ${email}, and to nobody else: whoever opens it joins as ${asRole(role)}.`}
          />
          <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
            <Text fz="sm">
              You will not see it again, but you can get a new one. It works once, for seven days.
            </Text>
          </Alert>
        </>
      ) : mailed ? (
        <Alert
          role="status"
          color="green"
          variant="light"
          icon={<IconMailCheck aria-hidden />}
          title={`Sent to ${email}`}
        >
          <Text fz="sm">The link in the mail works once, for seven days.</Text>
        </Alert>
      ) : (
        <Alert
          color="red"
          variant="light"
          icon={<IconAlertTriangle aria-hidden />}
          title="The mail was not sent"
        >
          <Text fz="sm">
            {email} is invited, but the mail server did not take the mail. Choose “Send again” in
            the list once it does.
          </Text>
        </Alert>
      )}
      <Group justify="flex-end">
        <Button onClick={onDone} {...(link === undefined ? { "data-autofocus": true } : {})}>
          Done
        </Button>
      </Group>
    </Stack>
  );
}
