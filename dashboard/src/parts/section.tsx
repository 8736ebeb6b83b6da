import { Stack, type StackProps, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface SectionProps extends Pick<StackProps, "mt"> {
  id: string;
  title: string;
  /** What it is about. */
  text?: ReactNode;
  children: ReactNode;
}

/** A part of a page under a heading of its own. */
export function Section({ id, title, text, children, ...space }: SectionProps) {
  return (
    <Stack component="section" gap="sm" aria-labelledby={id} {...space}>
      <div>
        <Title order={2} fz={16} id={id}>
          {title}
        </Title>
        {text === undefined ? null : (
          <Text fz="sm" c="dimmed" mt={4}>
            {text}
          </Text>
        )}
      </div>
      {children}
    </Stack>
  );
}
