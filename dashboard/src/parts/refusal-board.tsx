import type { RefusalJson } from "@latchkey/sdk/client";
import { NativeSelect, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { reasonWords } from "../outcomes.ts";
import { type RefusalSearchState, type RefusalSource, refusalsQuery } from "../usage-api.ts";
import { EmptyRefusals } from "./empty-refusals.tsx";
import styles from "./keys.module.css";
import { ListSkeleton } from "./list-skeleton.tsx";
import { Paging } from "./paging.tsx";
import { ReadProblem } from "./read-problem.tsx";
import { RefusalDetail } from "./refusal-detail.tsx";
import { RefusalList } from "./refusal-list.tsx";
import { RefusalSearch } from "./refusal-search.tsx";
import { useNow } from "./use-now.ts";

/** What the address of a page of refusals says. */
export interface RefusalAddress<Reason extends string> extends RefusalSearchState<Reason> {
  /** The request id of the one that is looked at. */
  request?: string | undefined;
}

interface RefusalBoardProps<Reason extends RefusalJson["reason"]> {
  source: RefusalSource<Reason>;
  reasons: readonly Reason[];
  address: RefusalAddress<Reason>;
  onChange: (next: RefusalAddress<Reason>) => void;
  /** Another filter of the page, e.g. the key. */
  filter?: ReactNode;
  /** Why one may not be found here, beyond what is true of all. */
  elsewhere: string;
}

/** Refused requests: by request id, or all of them by reason; and one of them in full. */
export function RefusalBoard<Reason extends RefusalJson["reason"]>(
  props: RefusalBoardProps<Reason>,
) {
  const { source, reasons, address, onChange, filter, elsewhere } = props;
  const { request, ...search } = address;
  const list = useQuery(refusalsQuery(source, search));
  const nowMs = useNow();
  const look = (requestId: string): void => onChange({ ...address, request: requestId });
  const close = (): void => {
    onChange(search);
    // Back to what opened it: a row, or the search when it came from there.
    window.requestAnimationFrame(() =>
      (document.getElementById(`look-${request}`) ?? document.getElementById("look-up"))?.focus(),
    );
  };
  return (
    <>
      <search className={styles.filters}>
        <RefusalSearch onFind={look} />
        <NativeSelect
          aria-label="Reason"
          data={[
            { value: "", label: "Any reason" },
            ...reasons.map((value) => ({ value, label: reasonWords[value] })),
          ]}
          value={search.reason ?? ""}
          onChange={(event) => {
            const chosen = reasons.find((reason) => reason === event.currentTarget.value);
            onChange(chosen === undefined ? {} : { reason: chosen });
          }}
        />
        {filter}
      </search>
      <ReadProblem what="The refusals" query={list} />
      {list.isPending ? <ListSkeleton what="refusals" /> : null}
      {list.data === undefined ? null : list.data.entries.length === 0 ? (
        <EmptyRefusals filtered={search.reason !== undefined} />
      ) : (
        <Stack gap="md" aria-busy={list.isPlaceholderData}>
          <RefusalList refusals={list.data.entries} nowMs={nowMs} onOpen={look} />
          <Paging
            pageInfo={list.data.page_info}
            onAfter={(after) => onChange({ ...search, after, before: undefined })}
            onBefore={(before) => onChange({ ...search, before, after: undefined })}
          />
        </Stack>
      )}
      {request === undefined ? null : (
        <RefusalDetail
          key={request}
          source={source}
          requestId={request}
          nowMs={nowMs}
          elsewhere={elsewhere}
          onClose={close}
        />
      )}
    </>
  );
}
