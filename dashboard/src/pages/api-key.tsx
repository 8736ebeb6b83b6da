import { ApiError, type ApiKeyJson } from "@latchkey/sdk/client";
import { Anchor, Group } from "@mantine/core";
import { IconChevronLeft, IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { apiKeyQuery } from "../api.ts";
import { CallerList } from "../parts/caller-list.tsx";
import { Empty } from "../parts/empty.tsx";
import { NoKeysForRole } from "../parts/empty-keys.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import { KeyFacts } from "../parts/key-facts.tsx";
import { KeyHistory } from "../parts/key-history.tsx";
import { KeyMenu } from "../parts/key-menu.tsx";
import { KeyPair } from "../parts/key-pair.tsx";
import { LateUse } from "../parts/late-use.tsx";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { Page } from "../parts/page.tsx";
import { RangeControl } from "../parts/range-control.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { Section } from "../parts/section.tsx";
import { Updated } from "../parts/updated.tsx";
import { UsageFigure } from "../parts/usage-figure.tsx";
import { useKeyDialogs } from "../parts/use-key-dialogs.tsx";
import { useNow } from "../parts/use-now.ts";
import { usePartner } from "../parts/use-partner.ts";
import { may, usePlace } from "../place.ts";
import { keyUsageQuery } from "../usage-api.ts";
import { RANGES, type RangeName, spanOf } from "../usage-range.ts";
import { chartByOutcome, keyTotals, totalOf } from "../usage-series.ts";
import { summaryOf } from "../usage-words.ts";

const route = getRouteApi("/$account/$environment/platform/api-keys/$key");

/** Platform > API keys > one of them. */
export function ApiKeyPage() {
  const { account, environment } = usePlace();
  const { key } = route.useParams();
  const seen = may(account, "keys:read");
  const found = useQuery({
    ...apiKeyQuery(account.slug, environment.slug, key),
    enabled: seen,
  });
  if (found.data !== undefined && found.data.environment === environment.slug)
    return <OneKey key={key} apiKey={found.data} />;
  const absent =
    found.data !== undefined || (found.error instanceof ApiError && found.error.status === 404);
  return (
    <Page title="API key" lead={<BackToKeys />}>
      {!seen ? (
        <NoKeysForRole />
      ) : absent ? (
        <Empty
          icon={IconKey}
          title="API key not found"
          text={`${environment.name} has no key of this id. It may be in another environment.`}
        />
      ) : found.isError ? (
        <ReadProblem what="The API key" query={found} />
      ) : (
        <ListSkeleton what="API key" />
      )}
    </Page>
  );
}

function OneKey({ apiKey }: { apiKey: ApiKeyJson }) {
  const nowMs = useNow();
  const { begin, dialogs } = useKeyDialogs();
  const successor = usePartner(apiKey.rotated_to);
  const predecessor = usePartner(apiKey.rotated_from);
  return (
    <Page
      title={`API key ${apiKey.hint}`}
      lead={<BackToKeys />}
      action={<KeyMenu apiKey={apiKey} begin={begin} successor={successor} onItsPage />}
    >
      <LateUse apiKey={apiKey} nowMs={nowMs} />
      <KeyPair old={apiKey} successor={successor} nowMs={nowMs} begin={begin} />
      {predecessor?.rotated_to === apiKey.id ? (
        <KeyPair old={predecessor} successor={apiKey} nowMs={nowMs} begin={begin} />
      ) : null}
      <KeyFacts apiKey={apiKey} nowMs={nowMs} />
      <Use apiKey={apiKey} nowMs={nowMs} />
      <Section id="history" title="History">
        <KeyHistory apiKey={apiKey} successor={successor} predecessor={predecessor} nowMs={nowMs} />
        <ItsAuditLog id={apiKey.id} />
      </Section>
      {dialogs}
    </Page>
  );
}

/** The chart of a key, and who calls with it. */
function Use({ apiKey, nowMs }: { apiKey: ApiKeyJson; nowMs: number }) {
  const { account, environment, client } = usePlace();
  const { range = "24h" } = route.useSearch();
  const navigate = route.useNavigate();
  const usage = useQuery(keyUsageQuery(account.slug, environment.slug, apiKey.id, range));
  const choose = (chosen: RangeName): void =>
    void navigate({ search: { range: chosen }, replace: true, resetScroll: false });
  return (
    <>
      <Section id="usage" title="Usage">
        <Group justify="space-between" gap="sm" mb="sm">
          <RangeControl value={range} onChange={choose} />
          <Group gap="sm">
            {usage.data === undefined ? null : <Updated atMs={usage.dataUpdatedAt} />}
            <ExportCsv
              fileName={`latchkey-usage-${apiKey.id}-${range}`}
              read={() => client.apiKeys.usageCsv(apiKey.id, spanOf(range, Date.now()))}
            />
          </Group>
        </Group>
        <ReadProblem what="The usage" query={usage} />
        {usage.isPending ? <ListSkeleton what="usage" /> : null}
        {usage.data === undefined ? null : <KeyChart usage={usage.data} range={range} />}
      </Section>
      {usage.data === undefined ? null : (
        <Section id="callers" title="Callers">
          <CallerList callers={usage.data.callers} nowMs={nowMs} />
        </Section>
      )}
    </>
  );
}

interface KeyChartProps {
  usage: Parameters<typeof chartByOutcome>[0];
  range: RangeName;
}

function KeyChart({ usage, range }: KeyChartProps) {
  const chart = chartByOutcome(usage);
  const summary = summaryOf(chart, totalOf(keyTotals(usage)), RANGES[range].words);
  return <UsageFigure name="Verifications of this key" chart={chart} summary={summary} />;
}

/** Who did all that, and from where, for whoever may know. */
function ItsAuditLog({ id }: { id: string }) {
  const place = usePlace();
  if (!may(place.account, "audit_logs:read")) return null;
  const params = { account: place.account.slug, environment: place.environment.slug };
  return (
    <Anchor
      fz="sm"
      renderRoot={(props) => (
        <Link
          to="/$account/$environment/settings/audit-log"
          params={params}
          search={{ key: id }}
          {...props}
        />
      )}
    >
      Every change of this key in the audit log
    </Anchor>
  );
}

function BackToKeys() {
  const { account, environment } = usePlace();
  const params = { account: account.slug, environment: environment.slug };
  return (
    <Anchor
      inherit
      renderRoot={(props) => (
        <Link to="/$account/$environment/platform/api-keys" params={params} {...props} />
      )}
    >
      <IconChevronLeft size={12} aria-hidden /> All API keys of {environment.name}
    </Anchor>
  );
}
