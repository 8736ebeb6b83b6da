import { Group, Text } from "@mantine/core";

/** The mark alone; decoration, so it has no name. */
function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#223a8f" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="12" cy="12.5" r="4.6" />
        <path d="m15.4 15.9 7.6 7.6m-3.4-3.4 2.6-2.6" />
      </g>
    </svg>
  );
}

/** The mark with the product's name. */
export function Logo() {
  return (
    <Group gap={10} wrap="nowrap">
      <Mark />
      <Text fw={650} fz={16} component="span">
        Latchkey
      </Text>
    </Group>
  );
}
