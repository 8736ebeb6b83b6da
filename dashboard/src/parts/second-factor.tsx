import { Button, Group, Modal, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys } from "../api.ts";
import { EnrolSecondFactor } from "./enrol-second-factor.tsx";
import styles from "./keys.module.css";
import { SecondFactorBadge } from "./member-list.tsx";
import { RenewRecoveryCodes } from "./renew-recovery-codes.tsx";
import { TurnOffSecondFactor } from "./turn-off-second-factor.tsx";
import { useDialog } from "./use-dialog.ts";

/** Whether it is on, and the dialogs that turn it on and off and make new recovery codes. */
export function SecondFactor({ on, email }: { on: boolean; email: string }) {
  const queryClient = useQueryClient();
  const dialog = useDialog<"on" | "off" | "codes">();
  const [locked, setLocked] = useState(false);
  const done = (): void => {
    setLocked(false);
    dialog.close();
    void queryClient.invalidateQueries({ queryKey: cacheKeys.me });
    void queryClient.invalidateQueries({ queryKey: cacheKeys.sessions });
  };
  return (
    <div className={styles.card}>
      <Group justify="space-between" gap="md">
        <Group gap="sm">
          <SecondFactorBadge on={on} />
          <Text fz="sm">
            {on ? "An authenticator app is set up." : "Only your password protects your sign-in."}
          </Text>
        </Group>
        {on ? (
          <Group gap="xs">
            <Button
              id="new-codes"
              size="xs"
              variant="default"
              onClick={() => dialog.open("codes", "new-codes")}
            >
              New recovery codes
            </Button>
            <Button
              id="turn-off"
              size="xs"
              variant="light"
              color="red"
              onClick={() => dialog.open("off", "turn-off")}
            >
              Turn off
            </Button>
          </Group>
        ) : (
          <Button id="turn-on" size="xs" onClick={() => dialog.open("on", "turn-on")}>
            Turn on
          </Button>
        )}
      </Group>
      {dialog.target === "on" ? (
        <Modal
          opened
          onClose={dialog.close}
          closeOnClickOutside={false}
          closeOnEscape={!locked}
          withCloseButton={!locked}
          size="lg"
          title="Turn on the second factor"
        >
          <EnrolSecondFactor email={email} onEnrolled={() => setLocked(true)} onDone={done} />
        </Modal>
      ) : null}
      {dialog.target === "off" ? (
        <TurnOffSecondFactor onClose={dialog.close} onDone={done} />
      ) : null}
      {dialog.target === "codes" ? <RenewRecoveryCodes onClose={dialog.close} /> : null}
    </div>
  );
}
