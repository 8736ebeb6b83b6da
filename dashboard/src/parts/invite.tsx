import type { InvitationJson, Role } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import { usePlace } from "../place.ts";
import { Problem } from "./problem.tsx";
import { RoleChoice } from "./role-choice.tsx";
import { SentInvitation } from "./sent-invitation.tsx";

/** Invites somebody: the form, then the link, this once, or word of the mail. Lives only while it is open. */
export function Invite({ onClose }: { onClose: () => void }) {
  const { account, client } = usePlace();
  const queryClient = useQueryClient();
  const [made, setMade] = useState<InvitationJson | null>(null);
  const form = useForm<{ email: string; role: Role }>({
    initialValues: { email: "", role: "member" },
    validate: { email: rules.email },
  });
  const invite = useMutation({
    // The link goes to this dialog's own state alone.
    mutationFn: async (body: { email: string; role: Role }) =>
      setMade(await client.invitations.create(body)),
    onSuccess: () =>
      queryClient.invalidateQueries({ queryKey: cacheKeys.invitations(account.slug) }),
    // A conflict may be of the address, which is a member's, or of the account, which has invited too many: it is told
    // as a whole.
    onError: (error) => form.setErrors(fieldErrors(error, { email: "email" })),
  });
  const closable = made === null && !invite.isPending;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={false}
      closeOnEscape={closable}
      withCloseButton={closable}
      title={made === null ? `Invite to ${account.name}` : "Invited"}
    >
      {made !== null ? (
        <SentInvitation invitation={made} onDone={onClose} />
      ) : (
        <form
          noValidate
          aria-label="Invite"
          onSubmit={form.onSubmit(({ email, role }) =>
            invite.mutate({ email: email.trim(), role }),
          )}
        >
          <Stack>
            {invite.isError && Object.keys(form.errors).length === 0 ? (
              <Problem title="Nobody was invited" error={invite.error} />
            ) : null}
            <TextInput
              label="E-mail"
              type="email"
              inputMode="email"
              autoComplete="off"
              maxLength={bounds.emailMax}
              data-autofocus
              {...form.getInputProps("email")}
            />
            <RoleChoice
              value={form.values.role}
              onChange={(role) => form.setFieldValue("role", role)}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose} disabled={invite.isPending}>
                Cancel
              </Button>
              <Button type="submit" loading={invite.isPending}>
                Invite
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
