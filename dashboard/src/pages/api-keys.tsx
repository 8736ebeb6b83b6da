import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Stack } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { apiKeysQuery } from "../api.ts";
import { CreateKey } from "../parts/create-key.tsx";
import { EmptyKeys, NoKeysForRole } from "../parts/empty-keys.tsx";
import { KeyBoard } from "../parts/key-board.tsx";
import { KeyFilters } from "../parts/key-filters.tsx";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { MakerFilter } from "../parts/maker-filter.tsx";
import { Page } from "../parts/page.tsx";
import { Paging } from "../parts/paging.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { RevokeKeys } from "../parts/revoke-keys.tsx";
import { useDialog } from "../parts/use-dialog.ts";
import { useKeyDialogs } from "../parts/use-key-dialogs.tsx";
import { useKeySearch } from "../parts/use-key-search.ts";
import { may, usePlace } from "../place.ts";

/** Platform > API keys. */
export function ApiKeysPage() {
  const { account, environment } = usePlace();
  // Another environment is another page: no dialog, search text or row of this one goes along.
  return may(account, "keys:read") ? (
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
  const creating = useDialog<true>();
  const { begin, dialogs } = useKeyDialogs();
  const revoking = useDialog<readonly ApiKeyJson[]>();
  const manage = may(account, "keys:write");
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
      <KeyFilters search={search} onChange={change} />
      {search.createdBy === undefined ? null : (
        <MakerFilter
          name={
            list.data?.entries.find(({ created_by }) => created_by.id === search.createdBy)
              ?.created_by.name
          }
          onClear={() => change({ createdBy: undefined })}
        />
      )}
      <ReadProblem what="The API keys" query={list} />
      {list.isPending ? <ListSkeleton what="API keys" /> : null}
      {list.data === undefined ? null : list.data.entries.length === 0 ? (
        <EmptyKeys
          search={search}
          onCreate={manage ? create : undefined}
          onClear={() =>
            change({
              q: "",
              status: "active",
              lastUsed: "any",
              expires: "whenever",
              createdBy: undefined,
            })
          }
        />
      ) : (
        <Stack gap="md" aria-busy={list.isPlaceholderData}>
          <KeyBoard
            // Another page of the list has nothing chosen on it.
            key={`${search.after} ${search.before}`}
            keys={list.data.entries}
            begin={begin}
            onRevoke={manage ? revoking.open : undefined}
          />
          <Paging
            pageInfo={list.data.page_info}
            onAfter={(after) => change({ ...search, after, before: undefined })}
            onBefore={(before) => change({ ...search, before, after: undefined })}
          />
        </Stack>
      )}
      {creating.target === null ? null : <CreateKey onClose={creating.close} />}
      {dialogs}
      {revoking.target === null ? null : (
        <RevokeKeys keys={revoking.target} onClose={revoking.close} />
      )}
    </Page>
  );
}
