import type { EnvironmentJson } from "@latchkey/sdk/client";
import { Group, Kbd, Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useMatches, useNavigate } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useState } from "react";
import { usePlace } from "../place.ts";
import styles from "./frame.module.css";

/** As many environments as there are digits. */
const digits = 9;
/** Where a letter is text, or finds an item of another menu. */
const elsewhere = "input, textarea, select, [contenteditable='true'], [role='menu']";

/** The environment, and the way to the others: by menu, or `E` and then its digit. */
export function EnvironmentSwitcher() {
  const { environment, environments } = usePlace();
  const [opened, setOpened] = useState(false);
  const go = useSwitch();
  useShortcuts(opened, setOpened, environments, go);
  return (
    <Menu position="bottom-start" width={280} opened={opened} onChange={setOpened}>
      <Menu.Target>
        <UnstyledButton
          className={styles.trigger}
          aria-label={`Environment: ${environment.name}`}
          aria-keyshortcuts="e"
        >
          <span className={styles.triggerText}>{environment.name}</span>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Group justify="space-between">
            Switch environment
            <span>
              <Kbd size="xs">E</Kbd> then <Kbd size="xs">1</Kbd>
              {environments.length < 2 ? null : "…"}
            </span>
          </Group>
        </Menu.Label>
        <Menu.RadioGroup value={environment.slug} onChange={go}>
          {environments.map((one, index) => (
            <Menu.RadioItem
              key={one.id}
              value={one.slug}
              closeMenuOnClick
              rightSection={index < digits ? <Kbd size="xs">{index + 1}</Kbd> : null}
            >
              {one.name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Pages that every environment has; from any other one goes to its API keys. */
const everywhere = [
  "/$account/$environment/observability/usage",
  "/$account/$environment/observability/refusals",
  "/$account/$environment/settings/general",
  "/$account/$environment/settings/members",
  "/$account/$environment/settings/environments",
  "/$account/$environment/settings/service-tokens",
  "/$account/$environment/settings/audit-log",
  "/$account/$environment/you",
  "/$account/$environment/operator/tokens",
  "/$account/$environment/operator/refusals",
] as const;

/** Goes to the same page of another environment; filters and cursors stay behind, for they mean nothing there. */
function useSwitch(): (slug: string) => void {
  const { account } = usePlace();
  const navigate = useNavigate();
  const page = useMatches({ select: (matches) => matches.at(-1)?.fullPath });
  const to = everywhere.find((one) => one === page) ?? "/$account/$environment/platform/api-keys";
  return (slug) => void navigate({ to, params: { account: account.slug, environment: slug } });
}

function useShortcuts(
  opened: boolean,
  setOpened: (opened: boolean) => void,
  environments: readonly EnvironmentJson[],
  go: (slug: string) => void,
): void {
  const press = useEffectEvent((event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!opened && event.target instanceof Element && event.target.closest(elsewhere) !== null)
      return;
    if (document.querySelector("[role='dialog'], [role='alertdialog']") !== null) return;
    if (!opened) {
      if (event.key.toLowerCase() !== "e" || event.repeat) return;
      // A menu that is still fading out would take this very key for one pressed outside of it, and close again.
      event.stopPropagation();
      setOpened(true);
      return;
    }
    const chosen = /^[1-9]$/.test(event.key) ? environments[Number(event.key) - 1] : undefined;
    if (chosen === undefined) return;
    event.preventDefault();
    setOpened(false);
    go(chosen.slug);
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => press(event);
    // Capturing, because an open menu keeps the keys pressed in it to itself.
    document.addEventListener("keydown", listen, true);
    return () => document.removeEventListener("keydown", listen, true);
  }, []);
}
