import type { Role } from "@latchkey/sdk/client";
import { Radio, Stack } from "@mantine/core";
import { rolesInReach } from "../people-api.ts";
import { usePlace } from "../place.ts";
import { ROLES } from "../roles.ts";
import { Choice } from "./choice.tsx";

interface RoleChoiceProps {
  value: Role;
  onChange: (role: Role) => void;
  /** Whether the chosen one takes the focus when its dialog opens. */
  focused?: boolean;
}

/** The roles that one may give, each with a line on what it means. */
export function RoleChoice({ value, onChange, focused = false }: RoleChoiceProps) {
  const { account } = usePlace();
  const roles = rolesInReach(account);
  return (
    <Radio.Group
      label="Role"
      value={value}
      onChange={(chosen) => {
        const role = roles.find((one) => one === chosen);
        if (role !== undefined) onChange(role);
      }}
    >
      <Stack gap="xs" mt={6}>
        {roles.map((role) => (
          <Choice
            key={role}
            value={role}
            name={ROLES[role].name}
            text={ROLES[role].text}
            autoFocus={focused && role === value}
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}
