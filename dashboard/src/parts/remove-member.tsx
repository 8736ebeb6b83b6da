import { ApiError, type MemberJson } from "@latchkey/sdk/client";
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { cacheKeys } from "../api.ts";
import { counted } from "../counts.ts";
import { isRefused } from "../failures.ts";
import { memberQuery } from "../people-api.ts";
import { usePlace } from "../place.ts";
import { FocusedButton } from "./focused-button.tsx";
import { KeysMadeBy } from "./keys-made-by.tsx";
import { LastOwner } from "./last-owner.tsx";
import { PersonCard } from "./person-card.tsx";
import { Problem } from "./problem.tsx";
import { TokensMadeBy } from "./tokens-made-by.tsx";

interface RemoveMemberProps {
  member: MemberJson;
  /** Whether they are known to be the only owner. */
  last: boolean;
  onClose: () => void;
}

/** Removes a member: what that ends, what it leaves alone, and then the keys that one may want to rotate. */
export function RemoveMember({ member: listed, last, onClose }: RemoveMemberProps) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => client.members.remove(listed.id),
    onSettled: () => queryClient.invalidateQueries({ queryKey: cacheKeys.members(account.slug) }),
  });
  const now = useQuery({ ...memberQuery(account.slug, listed.id), enabled: remove.isIdle });
  const member = now.data ?? listed;
  const status = remove.error instanceof ApiError ? remove.error.status : null;
  // "Not there": somebody else was faster, or this is the second try of a call whose answer got lost.
  const over = remove.isSuccess || status === 404;
  if (last || status === 409)
    return (
      <Modal opened onClose={onClose} title="Remove member">
        <LastOwner member={member} deed="removed" onClose={onClose} />
      </Modal>
    );
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!remove.isPending}
      closeOnEscape={!remove.isPending}
      title={over ? "Member removed" : "Remove member"}
    >
      <Stack>
        <PersonCard name={member.name} email={member.email} />
        {over ? (
          <Removed member={remove.data ?? member} />
        ) : (
          <Text fz="sm">
            {member.name} is refused by {account.name} from the next request on.{" "}
            {member.active_api_keys === 0
              ? "No active API key was created by them."
              : `${counted(member.active_api_keys, "API key")} that they created ${member.active_api_keys === 1 ? "lives" : "live"} on: programs use ${member.active_api_keys === 1 ? "it" : "them"}, not people.`}
          </Text>
        )}
        {over || member.active_service_tokens === 0 ? null : <TokensMadeBy member={member} />}
        {remove.isError && !over ? <RemoveProblem error={remove.error} /> : null}
        <Group justify="flex-end">
          {over ? (
            <FocusedButton onClick={onClose}>Done</FocusedButton>
          ) : (
            <>
              <Button variant="default" onClick={onClose} data-autofocus>
                {remove.isIdle ? "Cancel" : "Close"}
              </Button>
              <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
                {remove.isError ? "Try again" : "Remove"}
              </Button>
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

function Removed({ member }: { member: MemberJson }) {
  const { account } = usePlace();
  return (
    <>
      <Alert
        role="status"
        color="green"
        variant="light"
        icon={<IconCircleCheck aria-hidden />}
        title={`${member.name} no longer belongs to ${account.name}`}
      >
        <Text fz="sm">Every server refuses them as of now.</Text>
      </Alert>
      {member.active_service_tokens === 0 ? null : <TokensMadeBy member={member} />}
      {member.active_api_keys === 0 ? null : <KeysMadeBy id={member.id} name={member.name} />}
    </>
  );
}

function RemoveProblem({ error }: { error: unknown }) {
  if (isRefused(error)) return <Problem title="Nobody was removed" error={error} />;
  return (
    <Problem
      title="They may or may not be removed"
      error={error}
      message="The server did not confirm it. Until it does, count on them being a member still. Trying again is safe."
    />
  );
}
