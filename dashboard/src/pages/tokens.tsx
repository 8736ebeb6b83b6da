import type { TokenJson } from "@latchkey/sdk/client";
import { Button, Stack } from "@mantine/core";
import { IconEyeOff, IconPlus, IconShieldCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Navigate } from "@tanstack/react-router";
import { tokensQuery } from "../api.ts";
import { CreateToken } from "../parts/create-token.tsx";
import { DeleteToken } from "../parts/delete-token.tsx";
import { Empty } from "../parts/empty.tsx";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { Page } from "../parts/page.tsx";
import { Paging } from "../parts/paging.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { TokenList } from "../parts/token-list.tsx";
import { useDialog } from "../parts/use-dialog.ts";
import { useNow } from "../parts/use-now.ts";
import { usePlace } from "../place.ts";

/** Operator > Verifier tokens: those of the whole installation, whatever the account. */
export function TokensPage() {
  const { operator } = usePlace();
  return operator ? (
    <Tokens />
  ) : (
    <Page title="Verifier tokens" lead="Credentials of the whole installation.">
      <Empty
        icon={IconEyeOff}
        title="Only the operator sees these tokens"
        text="They belong to whoever runs this Latchkey, and to no account."
      />
    </Page>
  );
}

const route = getRouteApi("/$account/$environment/operator/tokens");

function Tokens() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(tokensQuery(search));
  const nowMs = useNow();
  const creating = useDialog<true>();
  const deleting = useDialog<TokenJson>();
  const create = (): void => creating.open(true, "create-token");
  const turn = (cursor: { after: string } | { before: string }): void =>
    void navigate({ search: cursor, resetScroll: false });

  return (
    <Page
      title="Verifier tokens"
      lead="Your apps verify keys of every account with them. Operator tokens, which provision accounts, are here too."
      action={
        <Button id="create-token" leftSection={<IconPlus size={16} aria-hidden />} onClick={create}>
          Create token
        </Button>
      }
    >
      <ReadProblem what="The tokens" query={list} />
      {list.isPending ? <ListSkeleton what="tokens" /> : null}
      {list.data === undefined ? null : list.data.entries.length > 0 ? (
        <Stack gap="md" aria-busy={list.isPlaceholderData}>
          <TokenList tokens={list.data.entries} nowMs={nowMs} onDelete={deleting.open} />
          <Paging
            pageInfo={list.data.page_info}
            onAfter={(after) => turn({ after })}
            onBefore={(before) => turn({ before })}
          />
        </Stack>
      ) : search.after !== undefined || search.before !== undefined ? (
        // The last token of this page was deleted.
        <Navigate from={route.id} to="." search={{}} replace />
      ) : (
        <Empty
          icon={IconShieldCheck}
          title="No tokens"
          text="An app needs a verifier token to verify keys in its own process. Create one for each, so that each can be deleted alone."
        >
          <Button variant="default" size="xs" mt="xs" onClick={create}>
            Create a token
          </Button>
        </Empty>
      )}
      {creating.target === null ? null : <CreateToken onClose={creating.close} />}
      {deleting.target === null ? null : (
        <DeleteToken token={deleting.target} onClose={deleting.close} />
      )}
    </Page>
  );
}
