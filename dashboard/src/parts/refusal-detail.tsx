import { ApiError, type RefusalJson } from "@latchkey/sdk/client";
import { Alert, Button, Code, Drawer, Skeleton, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconSearchOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { formatMoment, formatRelative } from "../times.ts";
import { type RefusalSource, refusalQuery } from "../usage-api.ts";
import { Empty } from "./empty.tsx";
import { whatIsKept } from "./empty-refusals.tsx";
import { KeyLink, TypeBadge } from "./key-cells.tsx";
import styles from "./keys.module.css";
import { ReadProblem } from "./read-problem.tsx";
import { Reason } from "./refusal-list.tsx";

interface RefusalDetailProps<Reason extends string> {
  source: RefusalSource<Reason>;
  requestId: string;
  nowMs: number;
  elsewhere: string;
  onClose: () => void;
}

/** One refused request: what its caller was told, and the truth. */
export function RefusalDetail<Reason extends string>(props: RefusalDetailProps<Reason>) {
  const { source, requestId, nowMs, elsewhere, onClose } = props;
  const found = useQuery(refusalQuery(source, requestId));
  const absent = found.error instanceof ApiError && found.error.status === 404;
  return (
    <Drawer opened onClose={onClose} position="right" size="md" title="Refused request">
      {found.data !== undefined ? (
        <Told refusal={found.data} nowMs={nowMs} />
      ) : found.isPending ? (
        <Skeleton height={200} role="status" aria-label="Loading the refusal" />
      ) : absent ? (
        <Empty
          icon={IconSearchOff}
          title="No such refusal"
          text={`${elsewhere} ${whatIsKept} A new one takes a few seconds to arrive.`}
        >
          <Code>{requestId}</Code>
          <LookAgain onClick={() => void found.refetch()} busy={found.isFetching} />
        </Empty>
      ) : (
        <ReadProblem what="The refusal" query={found} />
      )}
    </Drawer>
  );
}

function LookAgain({ onClick, busy }: { onClick: () => void; busy: boolean }) {
  return (
    <Button variant="default" size="xs" mt="xs" onClick={onClick} loading={busy}>
      Look again
    </Button>
  );
}

function Told({ refusal, nowMs }: { refusal: RefusalJson; nowMs: number }) {
  const { request_id, at, status, code, explanation, asked, late_by_ms } = refusal;
  return (
    <Stack>
      <Alert
        color={late_by_ms === null ? "cobalt" : "red"}
        variant="light"
        icon={<IconAlertTriangle aria-hidden />}
        title={explanation}
      >
        {late_by_ms === null ? null : <Text fz="sm">Somebody still has this key and uses it.</Text>}
      </Alert>
      <dl className={`${styles.facts} ${styles.first}`}>
        <dt>Reason</dt>
        <dd>
          <Reason refusal={refusal} />
        </dd>
        <dt>When</dt>
        <dd>
          {formatRelative(at, Math.max(nowMs, Date.parse(at)))} ({formatMoment(at)})
        </dd>
        <KeyOf refusal={refusal} />
        <dt>From</dt>
        <dd className={styles.text}>
          {refusal.address ?? "Unknown address"}
          {refusal.user_agent === null ? null : (
            <Text fz="xs" c="dimmed">
              {refusal.user_agent}
            </Text>
          )}
        </dd>
        <dt>The route asks for</dt>
        <dd>
          {asked.types.join(" or ")} key of{" "}
          {asked.environment === null ? "any environment" : <Code>{asked.environment}</Code>}
        </dd>
        <dt>The caller was told</dt>
        <dd className={styles.text}>
          {status} <Code>{code}</Code>
        </dd>
        <dt>Request id</dt>
        <dd className={styles.text}>
          <Code>{request_id}</Code>
        </dd>
      </dl>
    </Stack>
  );
}

function KeyOf({ refusal: { api_key } }: { refusal: RefusalJson }) {
  if (api_key === null) return null;
  return (
    <>
      <dt>Key</dt>
      <dd>
        <KeyLink id={api_key.id} hint={api_key.hint} environment={api_key.environment} />{" "}
        <TypeBadge type={api_key.type} />
        <Text fz="xs" c="dimmed" className={styles.text}>
          {[api_key.description, api_key.environment].filter(Boolean).join(" · ")}
        </Text>
      </dd>
      {api_key.revoked_at === null ? null : (
        <>
          <dt>Revoked</dt>
          <dd className={styles.text}>
            {formatMoment(api_key.revoked_at)}
            {api_key.revoked_by === null ? null : ` by ${api_key.revoked_by.name}`}
            {api_key.revoked_reason ? (
              <Text fz="xs" c="dimmed">
                {api_key.revoked_reason}
              </Text>
            ) : null}
          </dd>
        </>
      )}
      {api_key.rotated_to === null ? null : (
        <>
          <dt>Its successor</dt>
          <dd className={styles.text}>
            <KeyLink
              id={api_key.rotated_to}
              hint={api_key.rotated_to}
              environment={api_key.environment}
            />
          </dd>
        </>
      )}
    </>
  );
}
