import type { Page as PageOf } from "@latchkey/sdk/client";
import { Button, Stack } from "@mantine/core";
import { IconPlus, type IconShieldCheck } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ComponentType, ReactNode } from "react";
import type { Token } from "../tokens.ts";
import { CreateToken } from "./create-token.tsx";
import { DeleteToken } from "./delete-token.tsx";
import { Empty } from "./empty.tsx";
import { ListSkeleton } from "./list-skeleton.tsx";
import { Page } from "./page.tsx";
import { Paging } from "./paging.tsx";
import { ReadProblem } from "./read-problem.tsx";
import type { TokenFormProps } from "./token-form.tsx";
import { TokenList } from "./token-list.tsx";
import { useDialog } from "./use-dialog.ts";
import { useNow } from "./use-now.ts";
import { useTokenCalls } from "./use-token-calls.ts";

/** What a page of the list starts at, as the address says. */
export interface TokenCursor {
  after?: string;
  before?: string;
}

interface TokenBoardProps {
  title: string;
  lead: string;
  /** Of the list, in the middle of a sentence. */
  what: string;
  /** The kind of its tokens; the operator's are of two, which are called alike. */
  kind: Token["kind"];
  list: UseQueryResult<PageOf<Token>>;
  form: ComponentType<TokenFormProps>;
  cursor: TokenCursor;
  onTurn: (cursor: TokenCursor) => void;
  /** Leads to the first page. */
  first: ReactNode;
  empty: { icon: typeof IconShieldCheck; title: string; text: string };
}

/** A page about tokens: the list, and dialogs that create and delete them. */
export function TokenBoard(props: TokenBoardProps) {
  const { title, lead, what, kind, list, form, cursor, onTurn, first, empty } = props;
  const nowMs = useNow();
  const calls = useTokenCalls(kind);
  const creating = useDialog<true>();
  const deleting = useDialog<Token>();
  const create = (): void => creating.open(true, "create-token");
  const isFirst = cursor.after === undefined && cursor.before === undefined;
  return (
    <Page
      title={title}
      lead={lead}
      action={
        <Button id="create-token" leftSection={<IconPlus size={16} aria-hidden />} onClick={create}>
          Create token
        </Button>
      }
    >
      <ReadProblem what={`The ${what}`} query={list} />
      {list.isPending ? <ListSkeleton what={what} /> : null}
      {list.data === undefined ? null : list.data.entries.length > 0 ? (
        <Stack gap="md" aria-busy={list.isPlaceholderData}>
          <TokenList
            name={what.charAt(0).toUpperCase() + what.slice(1)}
            tokens={list.data.entries}
            expiring={kind === "service"}
            nowMs={nowMs}
            onDelete={deleting.open}
          />
          <Paging
            pageInfo={list.data.page_info}
            onAfter={(after) => onTurn({ after })}
            onBefore={(before) => onTurn({ before })}
          />
        </Stack>
      ) : isFirst ? (
        <Empty {...empty}>
          <Button variant="default" size="xs" mt="xs" onClick={create}>
            Create a token
          </Button>
        </Empty>
      ) : (
        // The last token of this page was deleted.
        first
      )}
      {creating.target === null ? null : (
        <CreateToken form={form} calls={calls} onClose={creating.close} />
      )}
      {deleting.target === null ? null : (
        <DeleteToken token={deleting.target} onClose={deleting.close} />
      )}
    </Page>
  );
}
