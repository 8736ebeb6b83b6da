import { SegmentedControl } from "@mantine/core";
import { isRange, RANGES, type RangeName } from "../usage-range.ts";

const choices = Object.entries(RANGES).map(([value, { label }]) => ({ value, label }));

interface RangeControlProps {
  value: RangeName;
  onChange: (range: RangeName) => void;
}

/** The last hour, 24 hours or 30 days. */
export function RangeControl({ value, onChange }: RangeControlProps) {
  return (
    <SegmentedControl
      aria-label="Range"
      data={choices}
      value={value}
      onChange={(chosen) => {
        if (isRange(chosen)) onChange(chosen);
      }}
    />
  );
}
