import { Group, Loader, Text } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { useState } from "react";

/** Longer than a revocation takes while every verifier answers. */
const slowMs = 1_500;

/** The wait until every verifier has confirmed; says why when it takes longer than usual. */
export function Barrier() {
  const [slow, setSlow] = useState(false);
  useTimeout(() => setSlow(true), slowMs, { autoInvoke: true });
  return (
    <Group role="status" gap="sm" wrap="nowrap" align="flex-start">
      <Loader size={18} mt={2} aria-hidden />
      <Text fz="sm">
        {slow
          ? "A verifier does not answer. Waiting until its lease has run out, so that it cannot accept the key either. This takes no longer than the lease."
          : "Waiting for every verifier to confirm…"}
      </Text>
    </Group>
  );
}
