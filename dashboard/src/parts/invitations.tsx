import type { InvitationJson } from "@latchkey/sdk/client";
import { Badge, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { invitationsQuery, rolesInReach } from "../people-api.ts";
import { may, usePlace } from "../place.ts";
import { ROLES } from "../roles.ts";
import { formatMoment, formatRelative } from "../times.ts";
import { CancelInvitation } from "./cancel-invitation.tsx";
import { InvitationMenu } from "./invitation-menu.tsx";
import { CreatedCell } from "./key-cells.tsx";
import styles from "./keys.module.css";
import { Paging } from "./paging.tsx";
import { ReadProblem } from "./read-problem.tsx";
import { type Column, Records } from "./records.tsx";
import { Section } from "./section.tsx";
import { SendInvitation } from "./send-invitation.tsx";
import { useDialog } from "./use-dialog.ts";

/** Who is invited and has not come yet; nothing of it is shown as long as nobody is. */
export function Invitations({ nowMs }: { nowMs: number }) {
  const { account } = usePlace();
  // Not in the address, which names the page of the members.
  const [cursor, setCursor] = useState<{ after?: string; before?: string }>({});
  const list = useQuery(invitationsQuery(account.slug, cursor));
  const sending = useDialog<InvitationJson>();
  const cancelling = useDialog<InvitationJson>();
  const manages = may(account, "members:write");
  const roles = rolesInReach(account);
  const here = list.data?.entries ?? [];
  const isFirst = cursor.after === undefined && cursor.before === undefined;
  return (
    <>
      {list.data === undefined || (here.length === 0 && isFirst) ? (
        <ReadProblem what="The invitations" query={list} />
      ) : (
        <Section
          id="invitations"
          title="Invitations"
          text="Open for seven days. Whoever has the link can accept, once."
          mt="md"
        >
          <ReadProblem what="The invitations" query={list} />
          <Records
            name="Invitations"
            rows={here}
            idOf={({ id }) => id}
            head={{
              name: "E-mail",
              cell: ({ email }) => (
                <Text fz="sm" fw={600} className={`${styles.text} ${styles.person}`}>
                  {email}
                </Text>
              ),
            }}
            columns={columnsAt(nowMs)}
            {...(manages
              ? {
                  actions: (invitation: InvitationJson) =>
                    roles.includes(invitation.role) ? (
                      <InvitationMenu
                        invitation={invitation}
                        onSend={sending.open}
                        onCancel={cancelling.open}
                      />
                    ) : null,
                }
              : {})}
          />
          <Paging
            pageInfo={list.data.page_info}
            onAfter={(after) => setCursor({ after })}
            onBefore={(before) => setCursor({ before })}
          />
        </Section>
      )}
      {sending.target === null ? null : (
        <SendInvitation invitation={sending.target} onClose={sending.close} />
      )}
      {cancelling.target === null ? null : (
        <CancelInvitation invitation={cancelling.target} onClose={cancelling.close} />
      )}
    </>
  );
}

const columnsAt = (nowMs: number): Column<InvitationJson>[] => [
  { name: "Role", cell: ({ role }) => ROLES[role].name },
  {
    name: "Sent",
    cell: ({ mailed }) => (
      <Badge variant="default" size="sm" className={styles.badge}>
        {mailed ? "By mail" : "By link"}
      </Badge>
    ),
  },
  {
    name: "Invited",
    cell: ({ created_at, created_by }) => (
      <CreatedCell at={created_at} by={created_by} nowMs={nowMs} />
    ),
  },
  {
    name: "Expires",
    cell: ({ expires_at }) =>
      Date.parse(expires_at) <= nowMs ? (
        <Badge variant="light" size="sm" color="yellow" className={styles.badge}>
          Expired
        </Badge>
      ) : (
        <time dateTime={expires_at} title={formatMoment(expires_at)}>
          {formatRelative(expires_at, nowMs)}
        </time>
      ),
  },
];
