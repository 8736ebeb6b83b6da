import { Menu, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconChevronDown, IconLogout } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { visitor } from "../api.ts";
import { explain } from "../failures.ts";
import { usePlace } from "../place.ts";
import styles from "./frame.module.css";

const schemes = [
  { value: "light", text: "Light" },
  { value: "dark", text: "Dark" },
  { value: "auto", text: "Same as system" },
] as const;

/** Account name: other accounts, who is signed in, colour scheme, sign out. */
export function AccountMenu() {
  const { person, account, accounts } = usePlace();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const signOut = useSignOut();
  return (
    <Menu position="bottom-start" width={264}>
      <Menu.Target>
        <UnstyledButton className={styles.trigger} aria-label={`Account: ${account.name}`}>
          <span className={styles.triggerText}>{account.name}</span>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text fz="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {person.name}
          </Text>
          <Text fz="xs" truncate>
            {person.email}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        {accounts.length < 2 ? null : (
          <>
            <Menu.Label>Accounts</Menu.Label>
            <Menu.RadioGroup
              value={account.slug}
              onChange={(slug) => void navigate({ to: "/$account", params: { account: slug } })}
            >
              {accounts.map((one) => (
                <Menu.RadioItem key={one.id} value={one.slug} closeMenuOnClick>
                  {one.name}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
            <Menu.Divider />
          </>
        )}
        <Menu.Label>Colour scheme</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(value) => {
            const scheme = schemes.find((one) => one.value === value);
            if (scheme !== undefined) setColorScheme(scheme.value);
          }}
        >
          {schemes.map(({ value, text }) => (
            <Menu.RadioItem key={value} value={value}>
              {text}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={signOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function useSignOut(): () => void {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const leave = useMutation({
    mutationFn: () => visitor.signOut(),
    onSuccess: async () => {
      await navigate({ to: "/sign-in" });
      queryClient.clear();
    },
    onError: (error) =>
      notifications.show({ color: "red", title: "Not signed out", message: explain(error) }),
  });
  return () => leave.mutate();
}
