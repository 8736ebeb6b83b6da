import { Tooltip } from "@mantine/core";
import { formatAgo, formatMoment } from "../times.ts";

/** A past moment: how long ago, and exactly when on hovering. */
export function Moment({ at, nowMs }: { at: string; nowMs: number }) {
  return (
    <Tooltip label={formatMoment(at)}>
      <time dateTime={at}>{formatAgo(at, nowMs)}</time>
    </Tooltip>
  );
}
