import { Center, Loader } from "@mantine/core";

/** A page outside the shell that has nothing to show yet. */
export function PageLoader({ label }: { label: string }) {
  return (
    <Center mih="100dvh" role="status" aria-label={label}>
      <Loader size="sm" />
    </Center>
  );
}
