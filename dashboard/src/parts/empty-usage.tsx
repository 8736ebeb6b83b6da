import { Button } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { usePlace } from "../place.ts";
import { RANGES, type RangeName } from "../usage-range.ts";
import { Empty } from "./empty.tsx";
import { Snippet } from "./snippet.tsx";

interface EmptyUsageProps {
  range: RangeName;
  /** Looks at a longer range; absent where there is none. */
  onWiden: (() => void) | undefined;
}

/** No verification in the range: how to send one, and where else to look. */
export function EmptyUsage({ range, onWiden }: EmptyUsageProps) {
  const { environment } = usePlace();
  return (
    <>
      <Empty
        icon={IconChartBar}
        title={`No verifications in ${RANGES[range].words}`}
        text={`Each verification of a key of ${environment.name} is counted here a moment after it was decided. Send one with the lines below.`}
      >
        {onWiden === undefined ? null : (
          <Button variant="default" size="xs" mt="xs" onClick={onWiden}>
            Look at {RANGES["30d"].label}
          </Button>
        )}
      </Empty>
      <Snippet
        title="Terminal command"
        code={`curl -i ${window.location.origin}/v1/authenticate \\\n  -H "Authorization: Bearer sk_…"`}
      />
    </>
  );
}
