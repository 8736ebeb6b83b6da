import { ApiError, type MemberJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { usePlace } from "../place.ts";
import { LastOwner } from "./last-owner.tsx";
import { PersonCard } from "./person-card.tsx";
import { Problem } from "./problem.tsx";
import { RoleChoice } from "./role-choice.tsx";

interface ChangeRoleProps {
  member: MemberJson;
  /** Whether they are known to be the only owner. */
  last: boolean;
  onClose: () => void;
}

/** Gives a member another role, from the next request on. */
export function ChangeRole({ member, last, onClose }: ChangeRoleProps) {
  const { account, client, person } = usePlace();
  const queryClient = useQueryClient();
  const [role, setRole] = useState(member.role);
  const change = useMutation({
    mutationFn: () => client.members.update(member.id, { role }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: cacheKeys.members(account.slug) });
      if (member.id === person.id) await queryClient.invalidateQueries({ queryKey: cacheKeys.me });
      onClose();
    },
  });
  const refusedAsLast = change.error instanceof ApiError && change.error.status === 409;
  if (last || refusedAsLast)
    return (
      <Modal opened onClose={onClose} title="Change role">
        <LastOwner member={member} deed="given another role" onClose={onClose} />
      </Modal>
    );
  return (
    <Modal opened onClose={onClose} title="Change role">
      <form
        noValidate
        aria-label="Change role"
        onSubmit={(event) => {
          event.preventDefault();
          if (role === member.role) onClose();
          else change.mutate();
        }}
      >
        <Stack>
          <PersonCard name={member.name} email={member.email} />
          {change.isError ? (
            <Problem title="The role was not changed" error={change.error} />
          ) : null}
          <RoleChoice value={role} onChange={setRole} focused />
          <Text fz="sm" c="dimmed">
            It holds from their next request on; nobody has to sign in again.
          </Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
