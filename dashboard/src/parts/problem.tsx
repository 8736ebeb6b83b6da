import { Alert, Button, Code, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { explain, requestIdOf } from "../failures.ts";

interface ProblemProps {
  /** What could not be done, e.g. "The API keys could not be loaded". */
  title: string;
  error: unknown;
  /** Said instead of what the error itself says. */
  message?: ReactNode;
  /** Shows "Try again" when given. */
  onRetry?: (() => void) | undefined;
  retrying?: boolean;
}

/** A failed call, with the request id that support asks for and, where it helps, a retry. */
export function Problem({ title, error, message, onRetry, retrying = false }: ProblemProps) {
  const requestId = requestIdOf(error);
  return (
    <Alert color="red" variant="light" title={title} icon={<IconAlertTriangle aria-hidden />}>
      <Text fz="sm">{message ?? explain(error)}</Text>
      {requestId === null ? null : (
        <Text fz="xs" mt={6} c="dimmed">
          Request id <Code fz="xs">{requestId}</Code>
        </Text>
      )}
      {onRetry === undefined ? null : (
        <Group mt="sm">
          <Button size="xs" variant="default" onClick={onRetry} loading={retrying}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  );
}
