import type { MemberJson } from "@latchkey/sdk/client";
import { Alert, Group, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { usePlace } from "../place.ts";
import { FocusedButton } from "./focused-button.tsx";
import { PersonCard } from "./person-card.tsx";

interface LastOwnerProps {
  member: MemberJson;
  /** What cannot be done to them, e.g. "removed". */
  deed: string;
  onClose: () => void;
}

/** An account always has an owner: why the only one stays one, and what to do first. */
export function LastOwner({ member, deed, onClose }: LastOwnerProps) {
  const { account, person } = usePlace();
  const own = member.id === person.id;
  return (
    <Stack>
      <PersonCard name={member.name} email={member.email} />
      <Alert
        color="yellow"
        variant="light"
        icon={<IconInfoCircle aria-hidden />}
        title={`${own ? "You are" : `${member.name} is`} the only owner`}
      >
        <Text fz="sm">
          {account.name} has to have an owner, so {own ? "you" : "they"} cannot be {deed}. Make
          somebody else an owner first.
        </Text>
      </Alert>
      <Group justify="flex-end">
        <FocusedButton onClick={onClose}>Close</FocusedButton>
      </Group>
    </Stack>
  );
}
