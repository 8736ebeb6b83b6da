import { Modal, Text } from "@mantine/core";
import { useState } from "react";
import { visitor } from "../api.ts";
import { ConfirmPassword } from "./confirm-password.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";

/** New recovery codes in the place of the old ones. */
export function RenewRecoveryCodes({ onClose }: { onClose: () => void }) {
  // In this dialog alone, and gone with it.
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={false}
      closeOnEscape={codes === null}
      withCloseButton={codes === null}
      title="New recovery codes"
    >
      {codes !== null ? (
        <RecoveryCodes codes={codes} onDone={onClose} />
      ) : (
        <ConfirmPassword
          label="New recovery codes"
          failed="There are no new codes"
          action="Show new codes"
          onCancel={onClose}
          onConfirm={async (password) =>
            setCodes((await visitor.person.newRecoveryCodes({ password })).recovery_codes)
          }
        >
          <Text fz="sm">The codes that you have now are dead as soon as there are new ones.</Text>
        </ConfirmPassword>
      )}
    </Modal>
  );
}
