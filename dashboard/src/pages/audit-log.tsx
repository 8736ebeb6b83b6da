import { Button, Stack } from "@mantine/core";
import { IconEyeOff, IconHistory } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type AuditAddress, auditLogQuery } from "../audit-api.ts";
import { AuditExport } from "../parts/audit-export.tsx";
import { AuditFilterBar } from "../parts/audit-filter-bar.tsx";
import { AuditList } from "../parts/audit-list.tsx";
import { Empty } from "../parts/empty.tsx";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { Page } from "../parts/page.tsx";
import { Paging } from "../parts/paging.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { useNow } from "../parts/use-now.ts";
import { may, usePlace } from "../place.ts";

const route = getRouteApi("/$account/$environment/settings/audit-log");

/** Settings > Audit log: who changed what in the account, when and from where. */
export function AuditLogPage() {
  const { account } = usePlace();
  const { after: _, before: __, ...filters } = route.useSearch();
  const reads = may(account, "audit_logs:read");
  return (
    <Page
      title="Audit log"
      lead={`Who changed what in ${account.name}, when and from where, in every environment.`}
      action={reads ? <AuditExport filters={filters} /> : undefined}
    >
      {reads ? (
        <AuditLog />
      ) : (
        <Empty
          icon={IconEyeOff}
          title="Only owners and admins see the audit log"
          text="It tells what everybody in this account has done. Ask an owner or an admin."
        />
      )}
    </Page>
  );
}

function AuditLog() {
  const { account } = usePlace();
  const address = given(route.useSearch());
  const { after: _, before: __, ...filters } = address;
  const navigate = route.useNavigate();
  const nowMs = useNow();
  const log = useQuery(auditLogQuery(account.slug, address));
  const go = (search: AuditAddress): void => void navigate({ search, resetScroll: false });
  const entries = log.data?.entries ?? [];
  return (
    <>
      <AuditFilterBar filters={filters} entries={entries} onChange={go} />
      <ReadProblem what="The audit log" query={log} />
      {log.isPending ? <ListSkeleton what="audit log" /> : null}
      {log.data === undefined ? null : entries.length === 0 ? (
        <NoEntries filtered={Object.keys(address).length > 0} onClear={() => go({})} />
      ) : (
        <Stack gap="md" aria-busy={log.isPlaceholderData}>
          <AuditList
            entries={entries}
            nowMs={nowMs}
            onOnly={(only) => go({ ...filters, ...only })}
          />
          <Paging
            pageInfo={log.data.page_info}
            onAfter={(after) => go({ ...filters, after })}
            onBefore={(before) => go({ ...filters, before })}
          />
        </Stack>
      )}
    </>
  );
}

/** Without what is not said. */
function given(search: AuditAddress): AuditAddress {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

function NoEntries({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return filtered ? (
    <Empty
      icon={IconHistory}
      title="No change matches"
      text="Nobody did this in that time, or it is older than what your operator keeps."
    >
      <Button variant="default" size="xs" mt="xs" onClick={onClear}>
        Clear filters
      </Button>
    </Empty>
  ) : (
    <Empty
      icon={IconHistory}
      title="No changes yet"
      text="Every change in this account will be here: keys, environments, tokens, members and settings."
    />
  );
}
