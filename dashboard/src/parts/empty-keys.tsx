import { Button } from "@mantine/core";
import {
  IconCalendarEvent,
  IconEyeOff,
  IconKey,
  IconMoon,
  IconSearch,
  IconUser,
} from "@tabler/icons-react";
import type { KeySearch } from "../api.ts";
import { usePlace } from "../place.ts";
import { Empty } from "./empty.tsx";

interface EmptyKeysProps {
  search: KeySearch;
  /** Absent for those who may not create keys. */
  onCreate: (() => void) | undefined;
  onClear: () => void;
}

const none = {
  active: "No active API keys",
  revoked: "No revoked API keys",
  expired: "No expired API keys",
  all: "No API keys yet",
} as const;

const noneEnds = {
  within_7_days: "None expires within 7 days",
  within_30_days: "None expires within 30 days",
  never: "Each has an expiry",
} as const;

/** An empty list: because of the filter, or because there is nothing. */
export function EmptyKeys({ search, onCreate, onClear }: EmptyKeysProps) {
  const { environment } = usePlace();
  if (search.q !== "")
    return (
      <Empty
        icon={IconSearch}
        title="Nothing found"
        text={`No ${search.status === "all" ? "" : `${search.status} `}API key of ${environment.name} matches “${search.q}”.`}
      >
        <Button variant="default" size="xs" mt="xs" onClick={onClear}>
          Clear search
        </Button>
      </Empty>
    );
  if (search.lastUsed !== "any")
    return (
      <Empty
        icon={IconMoon}
        title={search.lastUsed === "never" ? "None was never used" : "None is unused for 90 days"}
        text={`Every ${search.status === "all" ? "" : `${search.status} `}API key of ${environment.name} has been used${search.lastUsed === "never" ? "" : " since then, or is younger"}.`}
      >
        <Button variant="default" size="xs" mt="xs" onClick={onClear}>
          Clear filters
        </Button>
      </Empty>
    );
  if (search.expires !== "whenever")
    return (
      <Empty
        icon={IconCalendarEvent}
        title={noneEnds[search.expires]}
        text={`Every ${search.status === "all" ? "" : `${search.status} `}API key of ${environment.name} ${search.expires === "never" ? "ends by itself some day" : search.status === "active" ? "lives longer" : "lives longer, or has ended"}.`}
      >
        <Button variant="default" size="xs" mt="xs" onClick={onClear}>
          Clear filters
        </Button>
      </Empty>
    );
  if (search.createdBy !== undefined)
    return (
      <Empty
        icon={IconUser}
        title={`They created no ${search.status === "all" ? "" : `${search.status} `}API key here`}
        text={`What they created may be in another environment than ${environment.name}, or have ended.`}
      >
        <Button variant="default" size="xs" mt="xs" onClick={onClear}>
          Show API keys of every creator
        </Button>
      </Empty>
    );
  const creates = search.status === "active" || search.status === "all";
  return (
    <Empty
      icon={IconKey}
      title={none[search.status]}
      text={
        creates
          ? `A key of ${environment.name} lets a program call your API. Create one for each service that needs it.`
          : `Nothing of ${environment.name} is ${search.status}.`
      }
    >
      {creates && onCreate !== undefined ? (
        <Button variant="default" size="xs" mt="xs" onClick={onCreate}>
          Create a key
        </Button>
      ) : null}
    </Empty>
  );
}

/** What Support sees instead of keys and their use; `what` begins the sentence, e.g. "Usage is". */
export function NoKeysForRole({ what = "API keys are" }: { what?: string }) {
  const { account } = usePlace();
  return (
    <Empty
      icon={IconEyeOff}
      title={`${what} not shown to Support`}
      text={`Ask an owner or admin of ${account.name} if you need to see them.`}
    />
  );
}
