import { Container, Paper, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Logo } from "./logo.tsx";
import styles from "./plate.module.css";

interface PlateProps {
  title: string;
  /** One sentence under the title. */
  lead?: ReactNode;
  /** Width in pixels; what a form needs unless said otherwise. */
  width?: number;
  children?: ReactNode;
}

/** A page outside the shell: one card in the middle, under the product's name. */
export function Plate({ title, lead, width = 440, children }: PlateProps) {
  useDocumentTitle(`${title} · Latchkey`);
  return (
    <div className={styles.page}>
      <Container size={width} px="md" component="main" id="main">
        <Stack gap="xl">
          <Logo />
          <Paper className={styles.card} withBorder radius="lg">
            <Stack gap="lg">
              <div>
                <Title order={1} fz={22}>
                  {title}
                </Title>
                {lead === undefined ? null : (
                  <Text c="dimmed" fz="sm" mt={6}>
                    {lead}
                  </Text>
                )}
              </div>
              {children}
            </Stack>
          </Paper>
        </Stack>
      </Container>
    </div>
  );
}
