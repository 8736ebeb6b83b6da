import { ApiError, type MemberJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { cacheKeys, meQuery } from "../api.ts";
import { counted } from "../counts.ts";
import { usePlace } from "../place.ts";
import { LastOwner } from "./last-owner.tsx";
import { Problem } from "./problem.tsx";

interface LeaveProps {
  /** Oneself. */
  member: MemberJson;
  /** Whether one is known to be the only owner. */
  last: boolean;
  onClose: () => void;
}

/** Leaves the account, after one was told what that means; then on to whatever else one belongs to. */
export function Leave({ member, last, onClose }: LeaveProps) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => client.members.remove(member.id),
    onSuccess: async () => {
      // Known before the next page asks, which would lead straight back.
      queryClient.setQueryData(meQuery.queryKey, (me) =>
        me === undefined
          ? me
          : { ...me, accounts: me.accounts.filter(({ id }) => id !== account.id) },
      );
      await navigate({ to: "/", replace: true });
      queryClient.removeQueries({ queryKey: cacheKeys.everythingOf(account.slug) });
      await queryClient.invalidateQueries({ queryKey: cacheKeys.me });
      notifications.show({ message: `You left ${account.name}.` });
    },
  });
  if (last || (leave.error instanceof ApiError && leave.error.status === 409))
    return (
      <Modal opened onClose={onClose} title={`Leave ${account.name}`}>
        <LastOwner member={member} deed="let go" onClose={onClose} />
      </Modal>
    );
  return (
    <Modal opened onClose={onClose} title={`Leave ${account.name}?`}>
      <Stack>
        <Text fz="sm">
          {account.name} refuses you from then on, and only an invitation lets you back in.{" "}
          {member.active_api_keys === 0
            ? ""
            : `The ${counted(member.active_api_keys, "API key")} that you created ${member.active_api_keys === 1 ? "lives" : "live"} on.`}{" "}
          {member.active_service_tokens === 0
            ? ""
            : `So ${member.active_service_tokens === 1 ? "does" : "do"} the ${counted(member.active_service_tokens, "service token")}.`}
        </Text>
        {leave.isError ? <Problem title="You did not leave" error={leave.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Stay
          </Button>
          <Button color="red" loading={leave.isPending} onClick={() => leave.mutate()}>
            Leave account
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
