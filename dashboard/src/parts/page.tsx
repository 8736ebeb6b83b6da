import { Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { usePlace } from "../place.ts";

interface PageProps {
  title: string;
  /** One sentence under the title. */
  lead: ReactNode;
  /** The page's main deed, on the right. */
  action?: ReactNode;
  children: ReactNode;
}

/** A page inside the shell: heading, lead, main button, content; names the browser's tab too. */
export function Page({ title, lead, action, children }: PageProps) {
  const { account, environment } = usePlace();
  useDocumentTitle(`${title} · ${environment.name} · ${account.name} · Latchkey`);
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-end" gap="md">
        <div>
          <Title order={1} fz={24} tabIndex={-1}>
            {title}
          </Title>
          <Text c="dimmed" fz="sm" mt={4}>
            {lead}
          </Text>
        </div>
        {action}
      </Group>
      {children}
    </Stack>
  );
}
