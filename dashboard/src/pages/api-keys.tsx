import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Stack } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { apiKeysQuery, type KeySearch } from "../api.ts";
import { CreateKey } from "../parts/create-key.tsx";
import { EditDescription } from "../parts/edit-description.tsx";
import { EmptyKeys, NoKeysForRole } from "../parts/empty-keys.tsx";
import { KeyFilters } from "../parts/key-filters.tsx";
import { KeyList } from "../parts/key-list.tsx";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { Page } from "../parts/page.tsx";
import { Paging } from "../parts/paging.tsx";
import { Problem } from "../parts/problem.tsx";
import { RevokeKey } from "../parts/revoke-key.tsx";
import { useDialog } from "../parts/use-dialog.ts";
import { useNow } from "../parts/use-now.ts";
import { mayManage, maySeeKeys, usePlace } from "../place.ts";

/** Platform > API keys. */
export function ApiKeysPage() {
  const { account, environment } = usePlace();
  // Another environment is another page: no dialog, search text or row of this one goes along.
  return maySeeKeys(account.role) ? (
    <ApiKeys key={environment.id} />
  ) : (
    <Page title="API keys" lead={`Keys of ${environment.name}.`}>
      <NoKeysForRole />
    </Page>
  );
}

function ApiKeys() {
  const { account, environment } = usePlace();
  const { search, change } = useKeySearch();
  const list = useQuery(apiKeysQuery(account.slug, environment.slug, search));
  const nowMs = useNow();
  const creating = useDialog<true>();
  const editing = useDialog<ApiKeyJson>();
  const revoking = useDialog<ApiKeyJson>();
  const manage = mayManage(account.role);
  const create = (): void => creating.open(true, "create-api-key");

  return (
    <Page
      title="API keys"
      lead={`They call your API for ${environment.name}, and for no other environment.`}
      action={
        manage ? (
          <Button id="create-api-key" leftSection={<IconPlus size={16} />} onClick={create}>
            Create API key
          </Button>
        ) : null
      }
    >
      <KeyFilters
        search={search}
        onStatus={(status) => change({ status })}
        onText={(q) => change({ q })}
      />
      {list.isError ? (
        <Problem
          title={
            list.data === undefined
              ? "The API keys could not be loaded"
              : "The list could not be refreshed; it may be out of date"
          }
          error={list.error}
          onRetry={() => void list.refetch()}
          retrying={list.isFetching}
        />
      ) : null}
      {list.isPending ? <ListSkeleton what="API keys" /> : null}
      {list.data === undefined ? null : list.data.entries.length === 0 ? (
        <EmptyKeys
          search={search}
          onCreate={manage ? create : undefined}
          onClear={() => change({ q: "", status: "active" })}
        />
      ) : (
        <Stack gap="md" aria-busy={list.isPlaceholderData}>
          <KeyList
            keys={list.data.entries}
            nowMs={nowMs}
            deeds={{ onEdit: editing.open, onRevoke: revoking.open }}
          />
          <Paging
            pageInfo={list.data.page_info}
            onAfter={(after) => change({ ...search, after, before: undefined })}
            onBefore={(before) => change({ ...search, before, after: undefined })}
          />
        </Stack>
      )}
      {creating.target === null ? null : <CreateKey onClose={creating.close} />}
      {editing.target === null ? null : (
        <EditDescription apiKey={editing.target} onClose={editing.close} />
      )}
      {revoking.target === null ? null : (
        <RevokeKey apiKey={revoking.target} onClose={revoking.close} />
      )}
    </Page>
  );
}

const route = getRouteApi("/$account/$environment/platform/api-keys");

/** The list's filter and page, which live in the address. A change of the filter starts again at the first page. */
function useKeySearch(): { search: KeySearch; change: (next: Partial<KeySearch>) => void } {
  const inAddress = route.useSearch();
  const navigate = route.useNavigate();
  const search: KeySearch = {
    status: inAddress.status ?? "active",
    q: inAddress.q ?? "",
    after: inAddress.after,
    before: inAddress.before,
  };
  const change = (next: Partial<KeySearch>): void => {
    const { status, q, after, before } = {
      status: search.status,
      q: search.q,
      after: undefined,
      before: undefined,
      ...next,
    };
    void navigate({
      search: {
        ...(status === "active" ? {} : { status }),
        ...(q === "" ? {} : { q }),
        ...(after === undefined ? {} : { after }),
        ...(before === undefined ? {} : { before }),
      },
      // Each letter of a search is not a place to come back to.
      replace: next.q !== undefined && after === undefined && before === undefined,
      resetScroll: false,
    });
  };
  return { search, change };
}
