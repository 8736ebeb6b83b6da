import type { SessionJson } from "@latchkey/sdk/client";
import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { cacheKeys, visitor } from "../api.ts";
import { deviceOf } from "../devices.ts";
import { explain } from "../failures.ts";
import { sessionsQuery } from "../people-api.ts";
import styles from "./keys.module.css";
import { ListSkeleton } from "./list-skeleton.tsx";
import { Moment } from "./moment.tsx";
import { ReadProblem } from "./read-problem.tsx";
import { type Column, Records } from "./records.tsx";
import { useNow } from "./use-now.ts";

/** Where one is signed in, and the way to end that: one by one, or all but this. */
export function Sessions() {
  const nowMs = useNow();
  const list = useQuery(sessionsQuery);
  const end = useEnding((id: string) => visitor.person.endSession(id));
  const endOthers = useEnding(() => visitor.person.endOtherSessions());
  const sessions = list.data?.entries.toSorted(byUse) ?? [];
  return (
    <Stack gap="sm">
      <ReadProblem what="Your sessions" query={list} />
      {list.isPending ? <ListSkeleton what="sessions" /> : null}
      {list.data === undefined ? null : (
        <Records
          name="Sessions"
          rows={sessions}
          idOf={({ id }) => id}
          head={{ name: "Device", cell: (session) => <Device session={session} /> }}
          columns={columnsAt(nowMs)}
          actions={(session) =>
            session.current ? null : (
              <Button
                size="xs"
                variant="default"
                aria-label={`Sign out ${deviceOf(session.user_agent)}, ${session.address ?? "unknown address"}`}
                loading={end.isPending && end.variables === session.id}
                onClick={() => end.mutate(session.id)}
              >
                Sign out
              </Button>
            )
          }
        />
      )}
      {sessions.some(({ current }) => !current) ? (
        <Group>
          <Button
            variant="default"
            loading={endOthers.isPending}
            onClick={() => endOthers.mutate()}
          >
            Sign out all others
          </Button>
        </Group>
      ) : null}
    </Stack>
  );
}

/** Ends sessions; the list tells how that went, and the corner why it did not. */
function useEnding<Which = void>(end: (which: Which) => Promise<unknown>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: end,
    onSettled: () => queryClient.invalidateQueries({ queryKey: cacheKeys.sessions }),
    onError: (error) =>
      notifications.show({ color: "red", title: "Not signed out", message: explain(error) }),
  });
}

/** This one first, then those used last. */
const byUse = (a: SessionJson, b: SessionJson): number =>
  Number(b.current) - Number(a.current) || b.last_used_at.localeCompare(a.last_used_at);

function Device({ session: { user_agent, current, account } }: { session: SessionJson }) {
  return (
    <Group gap={8}>
      <Text fz="sm" fw={600} className={styles.text} title={user_agent ?? undefined}>
        {deviceOf(user_agent)}
      </Text>
      {current ? (
        <Badge size="sm" variant="light" color="green" className={styles.badge}>
          This one
        </Badge>
      ) : null}
      {account === null ? null : (
        <Badge size="sm" variant="default" className={styles.badge}>
          By a link, {account} only
        </Badge>
      )}
    </Group>
  );
}

const columnsAt = (nowMs: number): Column<SessionJson>[] => [
  {
    name: "Address",
    cell: ({ address }) => <span className={styles.hint}>{address ?? "Unknown"}</span>,
  },
  { name: "Signed in", cell: ({ created_at }) => <Moment at={created_at} nowMs={nowMs} /> },
  { name: "Last used", cell: ({ last_used_at }) => <Moment at={last_used_at} nowMs={nowMs} /> },
];
