import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { apiKeyQuery, cacheKeys } from "../api.ts";
import { bounds } from "../bounds.ts";
import { isRefused } from "../failures.ts";
import { usePlace } from "../place.ts";
import { isEffective } from "../receipts.ts";
import { Barrier } from "./barrier.tsx";
import { FocusedButton } from "./focused-button.tsx";
import { KeyUse } from "./key-use.tsx";
import styles from "./keys.module.css";
import { Problem } from "./problem.tsx";
import { Receipt } from "./receipt.tsx";

/** Revokes a key: what it is, confirmation, the wait until it is refused everywhere, and the receipt. */
export function RevokeKey({ apiKey, onClose }: { apiKey: ApiKeyJson; onClose: () => void }) {
  const { account, environment, client } = usePlace();
  const queryClient = useQueryClient();
  const live = useQuery(apiKeyQuery(account.slug, environment.slug, apiKey.id)).data ?? apiKey;
  const [reason, setReason] = useState("");
  const revoke = useMutation({
    mutationFn: () =>
      client.apiKeys.revoke(apiKey.id, reason.trim() === "" ? {} : { reason: reason.trim() }),
    // Waited for: what the key has become is known before an answer that failed is shown.
    onSettled: () =>
      queryClient.invalidateQueries({
        queryKey: cacheKeys.apiKeys(account.slug, environment.slug),
      }),
  });
  const revoked = revoke.isSuccess || revoke.isError ? revokedOf(revoke.data, live) : undefined;
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!revoke.isPending}
      closeOnEscape={!revoke.isPending}
      title={revoked === undefined ? "Revoke API key" : "API key revoked"}
    >
      <Stack>
        <Subject apiKey={live} />
        {revoked === undefined ? null : <Receipt revocation={revoked.revocation} />}
        {revoke.isPending ? <Barrier /> : null}
        {revoke.isError && revoked === undefined ? <RevokeProblem error={revoke.error} /> : null}
        {revoke.isIdle ? (
          <>
            <KeyUse apiKey={live} />
            <Text fz="sm">
              From the moment this returns, nobody can use the key: not on any server, not from any
              cache. This is final; a revoked key never comes back.
            </Text>
            <TextInput
              label="Reason (optional)"
              description="Kept with the key, for your colleagues."
              maxLength={bounds.reasonMax}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
          </>
        ) : null}
        <Group justify="flex-end">
          {revoked === undefined ? (
            <>
              <Button variant="default" onClick={onClose} data-autofocus>
                {revoke.isIdle ? "Cancel" : "Close"}
              </Button>
              {revoke.isError ? (
                <FocusedButton color="red" onClick={() => revoke.mutate()}>
                  Try again
                </FocusedButton>
              ) : (
                <Button color="red" onClick={() => revoke.mutate()} loading={revoke.isPending}>
                  Revoke API key
                </Button>
              )}
            </>
          ) : (
            <>
              {isEffective(revoked.revocation) ? null : (
                <Button variant="default" onClick={() => revoke.mutate()}>
                  Check again
                </Button>
              )}
              <FocusedButton onClick={onClose}>Done</FocusedButton>
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

/**
 * The revoked key as far as is known: as the call answered or, when it failed or could not wait, as the key reads now.
 * `undefined` while nothing says that it is revoked.
 */
function revokedOf(answered: ApiKeyJson | undefined, live: ApiKeyJson): ApiKeyJson | undefined {
  if (isEffective(live.revocation)) return live;
  return answered ?? (live.revoked_at === null ? undefined : live);
}

/** Which key, so that nobody revokes the wrong one. */
function Subject({ apiKey }: { apiKey: ApiKeyJson }) {
  return (
    <div className={styles.card}>
      <Group gap="sm" align="baseline">
        <span className={styles.hint}>{apiKey.hint}</span>
        <Text fz="sm" className={styles.description}>
          {apiKey.description === "" ? "No description" : apiKey.description}
        </Text>
      </Group>
    </div>
  );
}

function RevokeProblem({ error }: { error: unknown }) {
  if (isRefused(error)) return <Problem title="The key was not revoked" error={error} />;
  return (
    <Problem
      title="The key may or may not be revoked"
      error={error}
      message="The server did not confirm it. Until it does, count on the key still working. Trying again is safe: a key is revoked only once."
    />
  );
}
