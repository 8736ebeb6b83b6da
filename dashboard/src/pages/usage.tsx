import type { ApiKeyJson, UsageJson } from "@latchkey/sdk/client";
import { Group, SegmentedControl, Stack } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { NoKeysForRole } from "../parts/empty-keys.tsx";
import { EmptyUsage } from "../parts/empty-usage.tsx";
import { ExportCsv } from "../parts/export-csv.tsx";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { Page } from "../parts/page.tsx";
import { RangeControl } from "../parts/range-control.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { Updated } from "../parts/updated.tsx";
import { UsageByKey } from "../parts/usage-by-key.tsx";
import { UsageFigure } from "../parts/usage-figure.tsx";
import { may, usePlace } from "../place.ts";
import { environmentUsage, keyNameQuery, usageQuery } from "../usage-api.ts";
import { RANGES, type RangeName } from "../usage-range.ts";
import { chartByKey, chartByOutcome, keyTotals, totalOf } from "../usage-series.ts";
import { summaryOf } from "../usage-words.ts";

/** Observability > Usage. */
export function UsagePage() {
  const { account, environment } = usePlace();
  return may(account, "keys:read") ? (
    <Usage key={environment.id} />
  ) : (
    <Page title="Usage" lead={`Verifications of the keys of ${environment.name}.`}>
      <NoKeysForRole what="Usage is" />
    </Page>
  );
}

const route = getRouteApi("/$account/$environment/observability/usage");

/** How the chart is stacked. */
export type UsageBy = "outcome" | "key";

const ways: { value: UsageBy; label: string }[] = [
  { value: "outcome", label: "By outcome" },
  { value: "key", label: "By key" },
];

function Usage() {
  const { account, environment, client } = usePlace();
  const { range = "24h", by = "outcome" } = route.useSearch();
  const navigate = route.useNavigate();
  const usage = useQuery(usageQuery(account.slug, environment.slug, range));
  const change = (next: { range?: RangeName; by?: UsageBy }): void =>
    void navigate({ search: { range, by, ...next }, replace: true, resetScroll: false });
  const query = (): Parameters<typeof client.usage.csv>[0] =>
    environmentUsage(environment.slug, range);

  return (
    <Page
      title="Usage"
      lead={`Every verification of a key of ${environment.name}, wherever it was decided.`}
      action={
        <ExportCsv
          fileName={`latchkey-usage-${environment.slug}-${range}`}
          read={() => client.usage.csv(query())}
        />
      }
    >
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <RangeControl value={range} onChange={(chosen) => change({ range: chosen })} />
          <SegmentedControl
            aria-label="Stacked"
            data={ways}
            value={by}
            onChange={(chosen) => change({ by: chosen })}
          />
        </Group>
        {usage.data === undefined ? null : <Updated atMs={usage.dataUpdatedAt} />}
      </Group>
      <ReadProblem what="The usage" query={usage} />
      {usage.isPending ? <ListSkeleton what="usage" /> : null}
      {usage.data === undefined ? null : usage.data.entries.length === 0 ? (
        <EmptyUsage
          range={range}
          onWiden={range === "30d" ? undefined : () => change({ range: "30d" })}
        />
      ) : (
        <Counted usage={usage.data} range={range} by={by} />
      )}
    </Page>
  );
}

/** The chart, and the keys below it. */
function Counted({ usage, range, by }: { usage: UsageJson; range: RangeName; by: UsageBy }) {
  const totals = keyTotals(usage);
  const keys = useKeys(totals.flatMap(({ id }) => (id === null ? [] : [id])));
  const chart =
    by === "key" ? chartByKey(usage, (id) => nameOf(keys.get(id), id)) : chartByOutcome(usage);
  return (
    <Stack gap="lg">
      <UsageFigure
        name={`Verifications by ${by}`}
        chart={chart}
        summary={summaryOf(chart, totalOf(totals), RANGES[range].words)}
      />
      <UsageByKey totals={totals} keys={keys} />
    </Stack>
  );
}

/** The keys of these ids, as far as they are known yet. */
function useKeys(ids: readonly string[]): ReadonlyMap<string, ApiKeyJson> {
  const { account, environment } = usePlace();
  return useQueries({
    queries: ids.map((id) => keyNameQuery(account.slug, environment.slug, id)),
    combine: (answers) =>
      new Map(answers.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data]]))),
  });
}

const nameOf = (key: ApiKeyJson | undefined, id: string): string =>
  key === undefined ? id : [key.hint, key.description].filter(Boolean).join(" · ");
