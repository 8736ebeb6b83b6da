import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Anchor, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { apiKeyQuery, cacheKeys } from "../api.ts";
import { bounds } from "../bounds.ts";
import { isRefused } from "../failures.ts";
import { isInUse } from "../last-use.ts";
import { isRotatable, overlapOf } from "../overlap.ts";
import { usePlace } from "../place.ts";
import { isEffective } from "../receipts.ts";
import { Barrier } from "./barrier.tsx";
import { FocusedButton } from "./focused-button.tsx";
import { KeySubject } from "./key-subject.tsx";
import { KeyUse } from "./key-use.tsx";
import { Problem } from "./problem.tsx";
import { Receipt } from "./receipt.tsx";
import { useNow } from "./use-now.ts";

interface RevokeKeyProps {
  apiKey: ApiKeyJson;
  onClose: () => void;
  /** Rotates it instead. */
  onRotate: () => void;
}

/**
 * Revokes a key: what it is, confirmation, the wait until it is refused everywhere, and the receipt. Of the old one of a
 * pair this finishes the rotation.
 */
export function RevokeKey({ apiKey, onClose, onRotate }: RevokeKeyProps) {
  const { account, environment, client } = usePlace();
  const queryClient = useQueryClient();
  const live = useQuery(apiKeyQuery(account.slug, environment.slug, apiKey.id)).data ?? apiKey;
  const [reason, setReason] = useState("");
  const nowMs = useNow();
  // As it was when it was asked for: the words stay the same while the overlap runs out under them.
  const [finishing] = useState(() => overlapOf(apiKey, nowMs) !== null);
  const words = finishing ? WORDS.finish : WORDS.revoke;
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
      title={revoked === undefined ? words.title : words.done}
    >
      <Stack>
        <KeySubject apiKey={live} />
        {revoked === undefined ? null : <Receipt revocation={revoked.revocation} />}
        {revoke.isPending ? <Barrier /> : null}
        {revoke.isError && revoked === undefined ? <RevokeProblem error={revoke.error} /> : null}
        {revoke.isIdle ? (
          <>
            <KeyUse apiKey={live} deed="Revoking" />
            {isInUse(live.last_used_at, nowMs) && isRotatable(live, nowMs) ? (
              <RotateInstead onRotate={onRotate} />
            ) : null}
            <Text fz="sm">{words.meaning}</Text>
            <TextInput
              label="Reason (optional)"
              description="Kept with the key, for your colleagues."
              maxLength={bounds.reasonMax}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
          </>
        ) : null}
        <RevokeButtons
          deed={words.deed}
          state={revoked === undefined ? revoke.status : "revoked"}
          confirmed={isEffective(revoked?.revocation)}
          onRevoke={() => revoke.mutate()}
          onClose={onClose}
        />
      </Stack>
    </Modal>
  );
}

const WORDS = {
  revoke: {
    title: "Revoke API key",
    deed: "Revoke API key",
    done: "API key revoked",
    meaning:
      "From the moment this returns, nobody can use the key: not on any server, not from any cache. This is final; a revoked key never comes back.",
  },
  finish: {
    title: "Finish the rotation now",
    deed: "Finish now",
    done: "Rotation finished",
    meaning:
      "From the moment this returns, nobody can use this old key: not on any server, not from any cache. Its successor goes on working. This is final.",
  },
} as const;

/** For a key that somebody uses there is a way that cuts nobody off. */
function RotateInstead({ onRotate }: { onRotate: () => void }) {
  return (
    <Text fz="sm">
      Whoever uses it is cut off. If it only is to be replaced,{" "}
      <Anchor component="button" type="button" inherit underline="always" onClick={onRotate}>
        Rotate instead
      </Anchor>
      : then it goes on working beside the new key for as long as you need.
    </Text>
  );
}

interface RevokeButtonsProps {
  deed: string;
  state: "idle" | "pending" | "error" | "success" | "revoked";
  /** Whether no verifier accepts it any more, for certain. */
  confirmed: boolean;
  onRevoke: () => void;
  onClose: () => void;
}

function RevokeButtons({ deed, state, confirmed, onRevoke, onClose }: RevokeButtonsProps) {
  return (
    <Group justify="flex-end">
      {state === "revoked" ? (
        <>
          {confirmed ? null : (
            <Button variant="default" onClick={onRevoke}>
              Check again
            </Button>
          )}
          <FocusedButton onClick={onClose}>Done</FocusedButton>
        </>
      ) : (
        <>
          <Button variant="default" onClick={onClose} data-autofocus>
            {state === "idle" ? "Cancel" : "Close"}
          </Button>
          {state === "error" ? (
            <FocusedButton color="red" onClick={onRevoke}>
              Try again
            </FocusedButton>
          ) : (
            <Button color="red" onClick={onRevoke} loading={state === "pending"}>
              {deed}
            </Button>
          )}
        </>
      )}
    </Group>
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
