import { Menu, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconChevronDown, IconLogout, IconPlus, IconUserCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { meQuery } from "../api.ts";
import { usePlace } from "../place.ts";
import { ROLES } from "../roles.ts";
import styles from "./frame.module.css";
import { useSignOut } from "./use-sign-out.ts";

const schemes = [
  { value: "light", text: "Light" },
  { value: "dark", text: "Dark" },
  { value: "auto", text: "Same as system" },
] as const;

/** Account name: other accounts, who is signed in, their sign-in, colour scheme, sign out. */
export function AccountMenu() {
  const { person, account, accounts, environment } = usePlace();
  const opens = useQuery(meQuery).data?.sign_up === "open" && !person.confined;
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const { signOut } = useSignOut();
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
        <Menu.Item
          leftSection={<IconUserCircle size={16} aria-hidden />}
          renderRoot={(props) => (
            <Link
              to="/$account/$environment/you"
              params={{ account: account.slug, environment: environment.slug }}
              {...props}
            />
          )}
        >
          Your sign-in
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{accounts.length === 1 ? "Account" : "Accounts"}</Menu.Label>
        <Menu.RadioGroup
          value={account.slug}
          onChange={(slug) => void navigate({ to: "/$account", params: { account: slug } })}
        >
          {accounts.map((one) => (
            <Menu.RadioItem
              key={one.id}
              value={one.slug}
              closeMenuOnClick
              rightSection={
                <Text component="span" fz="xs" c="dimmed">
                  {ROLES[one.role].name}
                </Text>
              }
            >
              {one.name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        {opens ? (
          <Menu.Item
            leftSection={<IconPlus size={16} aria-hidden />}
            renderRoot={(props) => <Link to="/new-account" {...props} />}
          >
            Create an account
          </Menu.Item>
        ) : null}
        <Menu.Divider />
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
