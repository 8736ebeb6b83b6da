import { Modal, Text } from "@mantine/core";
import { visitor } from "../api.ts";
import { usePlace } from "../place.ts";
import { ConfirmPassword } from "./confirm-password.tsx";

interface TurnOffSecondFactorProps {
  onClose: () => void;
  onDone: () => void;
}

/** Turns the second factor off, after one was told whom that locks out. */
export function TurnOffSecondFactor({ onClose, onDone }: TurnOffSecondFactorProps) {
  const { accounts } = usePlace();
  const closed = accounts.filter(({ two_factor_required }) => two_factor_required);
  return (
    <Modal opened onClose={onClose} title="Turn off the second factor?">
      <ConfirmPassword
        label="Turn off"
        failed="The second factor is still on"
        action="Turn off"
        danger
        onCancel={onClose}
        onConfirm={async (password) => {
          await visitor.person.disableTwoFactor({ password });
          onDone();
        }}
      >
        <Text fz="sm">
          From then on the password alone signs you in, and the recovery codes are dead.
          {closed.length === 0
            ? ""
            : ` ${closed.map(({ name }) => name).join(" and ")} ${closed.length === 1 ? "requires" : "require"} a second factor and will let you in only once you turn it on again.`}
        </Text>
      </ConfirmPassword>
    </Modal>
  );
}
