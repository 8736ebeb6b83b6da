import type { Page } from "@latchkey/sdk/client";
import { Button, Group } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";

interface PagingProps {
  pageInfo: Page<unknown>["page_info"];
  onAfter: (cursor: string) => void;
  onBefore: (cursor: string) => void;
}

/** Previous and Next; nothing where everything fits one page. */
export function Paging({ pageInfo: { after, before }, onAfter, onBefore }: PagingProps) {
  if (after === null && before === null) return null;
  return (
    <Group component="nav" justify="flex-end" gap="xs" aria-label="Pages">
      <Button
        variant="default"
        size="xs"
        leftSection={<IconChevronLeft size={14} aria-hidden />}
        disabled={before === null}
        onClick={() => (before === null ? undefined : onBefore(before))}
      >
        Previous
      </Button>
      <Button
        variant="default"
        size="xs"
        rightSection={<IconChevronRight size={14} aria-hidden />}
        disabled={after === null}
        onClick={() => (after === null ? undefined : onAfter(after))}
      >
        Next
      </Button>
    </Group>
  );
}
