import { Group, Loader, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { cacheKeys, clientFor } from "../api.ts";
import styles from "./first-verification.module.css";

interface FirstVerificationProps {
  account: string;
  environment: string;
}

/** Waits, asking each second, until some key of the environment has been used. Stops then, or when it is gone. */
export function FirstVerification({ account, environment }: FirstVerificationProps) {
  const used = useQuery({
    queryKey: [...cacheKeys.apiKeys(account, environment), "first-use"],
    queryFn: async ({ signal }) => {
      const page = await clientFor(account).apiKeys.list({ environment }, { signal });
      return page.entries.some((key) => key.last_used_at !== null);
    },
    refetchInterval: (query) => (query.state.data === true ? false : 1_000),
    retry: false,
  });
  const received = used.data === true;
  return (
    <Group className={styles.strip} data-received={received || undefined} role="status" gap="sm">
      {received ? (
        <IconCircleCheck size={20} aria-hidden className={styles.check} />
      ) : (
        <Loader size={16} color="gray" aria-hidden />
      )}
      <Text fz="sm" fw={550}>
        {received ? "Received: your first verification." : "Waiting for the first verification…"}
      </Text>
    </Group>
  );
}
