import { ApiError } from "@latchkey/sdk/client";
import { Alert, Anchor, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { cacheKeys } from "../api.ts";
import { counted } from "../counts.ts";
import { membersQuery } from "../people-api.ts";
import { may, usePlace } from "../place.ts";
import styles from "./keys.module.css";
import { SecondFactorBadge } from "./member-list.tsx";
import { Problem } from "./problem.tsx";
import { useDialog } from "./use-dialog.ts";

/** Whether the account lets in only those with a second factor: owners choose it, others see it. */
export function RequireSecondFactor({ required }: { required: boolean }) {
  const { account, person } = usePlace();
  const confirming = useDialog<{ required: boolean }>();
  const chooses = may(account, "account:write");
  // Who has none would lock themselves out.
  const lacking = !required && !person.two_factor;
  return (
    <div className={styles.card}>
      <Stack gap="sm">
        <Group justify="space-between" gap="md">
          <Group gap="sm">
            <SecondFactorBadge on={required} />
            <Text fz="sm">
              {required
                ? "Whoever has no second factor is not let in."
                : "A password is enough to be let in."}
            </Text>
          </Group>
          {chooses ? (
            <Button
              id="require-second-factor"
              size="xs"
              disabled={lacking}
              {...(required ? { variant: "default" } : {})}
              onClick={() => confirming.open({ required: !required }, "require-second-factor")}
            >
              {required ? "No longer require it" : "Require it"}
            </Button>
          ) : null}
        </Group>
        {chooses ? (
          lacking ? (
            <OwnFirst />
          ) : null
        ) : (
          <Text fz="sm" c="dimmed">
            Only owners change it.
          </Text>
        )}
      </Stack>
      {confirming.target === null ? null : (
        <SetRequired after={confirming.target.required} onClose={confirming.close} />
      )}
    </div>
  );
}

function OwnFirst() {
  const { account, environment } = usePlace();
  return (
    <Text fz="sm">
      You have none yourself, and would lock yourself out.{" "}
      <Anchor
        inherit
        underline="always"
        renderRoot={(props) => (
          <Link
            to="/$account/$environment/you"
            params={{ account: account.slug, environment: environment.slug }}
            hash="second-factor"
            {...props}
          />
        )}
      >
        Turn on your own second factor
      </Anchor>{" "}
      first.
    </Text>
  );
}

/** Confirms either change, after one was told whom it concerns. */
function SetRequired({ after, onClose }: { after: boolean; onClose: () => void }) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const set = useMutation({
    mutationFn: () => client.account.update({ require_two_factor: after }),
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: cacheKeys.account(account.slug) }),
        queryClient.invalidateQueries({ queryKey: cacheKeys.me }),
      ]);
      onClose();
    },
  });
  const lacking = set.error instanceof ApiError && set.error.status === 409;
  return (
    <Modal
      opened
      onClose={onClose}
      title={after ? "Require a second factor?" : "No longer require a second factor?"}
    >
      <Stack>
        {after ? <Concerned /> : <Text fz="sm">A password is enough then, also for owners.</Text>}
        {lacking ? (
          <OwnFirst />
        ) : set.isError ? (
          <Problem title="Nothing was changed" error={set.error} />
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button loading={set.isPending} disabled={lacking} onClick={() => set.mutate()}>
            {after ? "Require it" : "No longer require it"}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** Who is shut out at once, as far as the first members tell. */
function Concerned() {
  const { account } = usePlace();
  const members = useQuery(membersQuery(account.slug, {})).data;
  const without = members?.entries.filter(({ two_factor }) => !two_factor) ?? [];
  const more = members?.page_info.after === null || members === undefined ? "" : "At least ";
  return (
    <>
      <Text fz="sm">
        From the next request on, {account.name} lets in only those who have a second factor. Others
        are asked to turn it on. Keys and service tokens work as before.
      </Text>
      {without.length === 0 ? null : (
        <Alert color="yellow" variant="light" icon={<IconInfoCircle aria-hidden />}>
          <Text fz="sm" className={styles.text}>
            {more}
            {counted(without.length, "member")} {without.length === 1 ? "has" : "have"} none:{" "}
            {without
              .slice(0, 5)
              .map(({ name }) => name)
              .join(", ")}
            {without.length > 5 ? " …" : "."}
          </Text>
        </Alert>
      )}
      <Text fz="sm">Sign-in links for {account.name} stop working.</Text>
    </>
  );
}
