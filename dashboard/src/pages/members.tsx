import type { MemberJson } from "@latchkey/sdk/client";
import { Button, Stack } from "@mantine/core";
import { IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChangeRole } from "../parts/change-role.tsx";
import { Empty } from "../parts/empty.tsx";
import { Invitations } from "../parts/invitations.tsx";
import { Invite } from "../parts/invite.tsx";
import { Leave } from "../parts/leave.tsx";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { MemberList } from "../parts/member-list.tsx";
import { Page } from "../parts/page.tsx";
import { Paging } from "../parts/paging.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { RemoveMember } from "../parts/remove-member.tsx";
import { useDialog } from "../parts/use-dialog.ts";
import { useNow } from "../parts/use-now.ts";
import { membersQuery } from "../people-api.ts";
import { may, usePlace } from "../place.ts";

const route = getRouteApi("/$account/$environment/settings/members");

/** Settings > Members: who belongs to the account as what, and who is invited. */
export function MembersPage() {
  const { account } = usePlace();
  const cursor = route.useSearch();
  const navigate = route.useNavigate();
  const nowMs = useNow();
  const list = useQuery(membersQuery(account.slug, cursor));
  const inviting = useDialog<true>();
  const changing = useDialog<MemberJson>();
  const removing = useDialog<MemberJson>();
  const leaving = useDialog<MemberJson>();
  const manages = may(account, "members:write");
  const lastOwner = list.data === undefined ? null : lastOwnerOf(list.data);
  const of = (target: MemberJson) => ({ member: target, last: target.id === lastOwner });
  return (
    <Page
      title="Members"
      lead={`The people of ${account.name}, in every environment.`}
      action={
        manages ? (
          <Button
            id="invite"
            leftSection={<IconUserPlus size={16} aria-hidden />}
            onClick={() => inviting.open(true, "invite")}
          >
            Invite
          </Button>
        ) : null
      }
    >
      <ReadProblem what="The members" query={list} />
      {list.isPending ? <ListSkeleton what="members" /> : null}
      {list.data === undefined ? null : list.data.entries.length === 0 ? (
        <Empty icon={IconUsers} title="Nobody on this page" text="Its members were removed." />
      ) : (
        <Stack gap="md" aria-busy={list.isPlaceholderData}>
          <MemberList
            members={list.data.entries}
            nowMs={nowMs}
            onChangeRole={changing.open}
            onRemove={removing.open}
            onLeave={leaving.open}
          />
          <Paging
            pageInfo={list.data.page_info}
            onAfter={(after) => void navigate({ search: { after }, resetScroll: false })}
            onBefore={(before) => void navigate({ search: { before }, resetScroll: false })}
          />
        </Stack>
      )}
      <Invitations key={account.id} nowMs={nowMs} />
      {inviting.target === null ? null : <Invite onClose={inviting.close} />}
      {changing.target === null ? null : (
        <ChangeRole {...of(changing.target)} onClose={changing.close} />
      )}
      {removing.target === null ? null : (
        <RemoveMember {...of(removing.target)} onClose={removing.close} />
      )}
      {leaving.target === null ? null : <Leave {...of(leaving.target)} onClose={leaving.close} />}
    </Page>
  );
}

/** Id of the only owner, where the whole list is at hand and shows it; else the server says it when it comes to that. */
function lastOwnerOf(page: {
  entries: readonly MemberJson[];
  page_info: { after: string | null; before: string | null };
}): string | null {
  const owners = page.entries.filter(({ role }) => role === "owner");
  const whole = page.page_info.after === null && page.page_info.before === null;
  return whole && owners.length === 1 ? (owners[0]?.id ?? null) : null;
}
