import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { counted } from "../counts.ts";
import { isRefused } from "../failures.ts";
import { formatAgo, formatMoment } from "../times.ts";
import type { Token } from "../tokens.ts";
import { Barrier } from "./barrier.tsx";
import { FocusedButton } from "./focused-button.tsx";
import styles from "./keys.module.css";
import { Problem } from "./problem.tsx";
import { Receipt } from "./receipt.tsx";
import { Hint } from "./token-list.tsx";
import { useNow } from "./use-now.ts";
import { type TokenCalls, useTokenCalls } from "./use-token-calls.ts";

/** Deletes a token: which it is, confirmation, the wait until it opens nothing any more, and the receipt. */
export function DeleteToken({ token, onClose }: { token: Token; onClose: () => void }) {
  const queryClient = useQueryClient();
  const calls = useTokenCalls(token.kind);
  const [recorded, setRecorded] = useState(false);
  const forget = () => queryClient.invalidateQueries({ queryKey: calls.stale });
  const remove = useMutation({
    mutationFn: () => calls.delete(token.id),
    onSuccess: forget,
    // Nobody can read the receipt of what is gone; that it is gone is known before a failed answer is shown.
    async onError(error) {
      if (isRefused(error) ? !isGone(error) : !(await isDeleted(calls, token))) return;
      setRecorded(true);
      await forget();
    },
  });
  const over = remove.isSuccess || isGone(remove.error);
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!remove.isPending}
      closeOnEscape={!remove.isPending}
      title={over || recorded ? "Token deleted" : "Delete token"}
    >
      <Stack>
        <Subject token={token} />
        {remove.isSuccess ? <Receipt revocation={remove.data.revocation} /> : null}
        {remove.isPending ? <Barrier /> : null}
        {remove.isError ? <Failed error={remove.error} recorded={recorded} /> : null}
        {remove.isIdle ? <Text fz="sm">{consequences(token)}</Text> : null}
        <Group justify="flex-end">
          {over ? (
            <FocusedButton onClick={onClose}>Done</FocusedButton>
          ) : (
            <>
              <Button variant="default" onClick={onClose} data-autofocus>
                {remove.isIdle ? "Cancel" : "Close"}
              </Button>
              {remove.isError ? (
                <FocusedButton
                  {...(recorded ? {} : { color: "red" })}
                  onClick={() => remove.mutate()}
                >
                  {recorded ? "Check again" : "Try again"}
                </FocusedButton>
              ) : (
                <Button color="red" onClick={() => remove.mutate()} loading={remove.isPending}>
                  Delete token
                </Button>
              )}
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

/** What deleting breaks, and what it leaves alone. */
function consequences(token: Token): string {
  switch (token.kind) {
    case "verifier":
      return "This ends its sessions at once: apps that verify with it answer 503 until they have another token. Keys and accounts stay as they are. This is final.";
    case "operator":
      return "Programs that use it are refused at once. Accounts that it made stay as they are. This is final.";
    case "service":
      return `Programs that use it are refused at once, on every server. ${fateOfKeys(token.exchanged_keys)} This is final.`;
  }
}

/** @param exchanged How many of its keys end with it. */
function fateOfKeys(exchanged: number): string {
  if (exchanged === 0) return "API keys that it created stay as they are.";
  const are = exchanged === 1 ? "is" : "are";
  return `${counted(exchanged, "API key")} that it was exchanged for ${are} revoked with it; others that it created stay as they are.`;
}

/** "Not there": the server says so only when no server accepts it any more. */
const isGone = (error: unknown): boolean => isRefused(error) && error.status === 404;

/** Whether the token is certainly deleted; `false` also when nobody answers. */
async function isDeleted(calls: TokenCalls, { id }: Token): Promise<boolean> {
  try {
    for await (const token of calls.all()) if (token.id === id) return false;
    return true;
  } catch {
    return false;
  }
}

/** Which token, so that nobody deletes the wrong one; and who would notice: its last use. */
function Subject({ token }: { token: Token }) {
  const nowMs = useNow();
  const used = token.last_used_at;
  return (
    <div className={styles.card}>
      <Hint token={token} />
      <Text fz="sm" mt={4} className={styles.description}>
        {token.name}
      </Text>
      <Text fz="sm" c="dimmed" mt={4}>
        {used === null
          ? "Never used"
          : `Last used ${formatAgo(used, nowMs)} (${formatMoment(used)})`}
      </Text>
    </div>
  );
}

/** What a call that failed means for the token. */
function Failed({ error, recorded }: { error: unknown; recorded: boolean }) {
  if (isGone(error))
    return (
      <Alert
        role="status"
        color="green"
        variant="light"
        icon={<IconCircleCheck aria-hidden />}
        title="Already deleted, and refused everywhere"
      >
        <Text fz="sm">It was deleted before this attempt. No server accepts it any more.</Text>
      </Alert>
    );
  if (recorded) return <Receipt revocation={null} />;
  if (isRefused(error)) return <Problem title="The token was not deleted" error={error} />;
  return (
    <Problem
      title="The token may or may not be deleted"
      error={error}
      message="The server did not confirm it. Until it does, count on the token still working. Trying again is safe."
    />
  );
}
