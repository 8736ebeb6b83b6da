import { Text } from "@mantine/core";
import {
  IconChartBar,
  IconHistory,
  IconKey,
  IconPlugConnected,
  IconSettings,
  IconShieldCheck,
  IconShieldQuestion,
  IconShieldX,
  IconStack2,
  IconUsers,
} from "@tabler/icons-react";
import { Link, useMatchRoute } from "@tanstack/react-router";
import { may, type Place, usePlace } from "../place.ts";
import styles from "./frame.module.css";

const always = (): boolean => true;

/** The pages of the shell, by group; a new page is a line here and a route. What is not `shown` to somebody is left out. */
const groups = [
  {
    name: "Observability",
    shown: ({ account }: Place) => may(account, "keys:read"),
    links: [
      { to: "/$account/$environment/observability/usage", text: "Usage", icon: IconChartBar },
      { to: "/$account/$environment/observability/refusals", text: "Refusals", icon: IconShieldX },
    ],
  },
  {
    name: "Platform",
    shown: ({ account }: Place) => may(account, "keys:read"),
    links: [{ to: "/$account/$environment/platform/api-keys", text: "API keys", icon: IconKey }],
  },
  {
    name: "Settings",
    shown: always,
    links: [
      { to: "/$account/$environment/settings/general", text: "General", icon: IconSettings },
      { to: "/$account/$environment/settings/members", text: "Members", icon: IconUsers },
      {
        to: "/$account/$environment/settings/environments",
        text: "Environments",
        icon: IconStack2,
      },
      {
        to: "/$account/$environment/settings/service-tokens",
        text: "Service tokens",
        icon: IconPlugConnected,
        shown: ({ account }: Place) => may(account, "service_tokens:read"),
      },
      {
        to: "/$account/$environment/settings/audit-log",
        text: "Audit log",
        icon: IconHistory,
        shown: ({ account }: Place) => may(account, "audit_logs:read"),
      },
    ],
  },
  {
    name: "Operator",
    shown: ({ operator }: Place) => operator,
    links: [
      {
        to: "/$account/$environment/operator/tokens",
        text: "Verifier tokens",
        icon: IconShieldCheck,
      },
      {
        to: "/$account/$environment/operator/refusals",
        text: "Refusals without a key",
        icon: IconShieldQuestion,
      },
    ],
  },
] as const;

/** The links of the sidebar, and of the drawer that stands for it on phones. */
export function SideNav({ onNavigate }: { onNavigate?: () => void }) {
  const place = usePlace();
  const { account, environment } = place;
  const params = { account: account.slug, environment: environment.slug };
  return (
    <nav aria-label="Main">
      {groups
        .filter(({ shown }) => shown(place))
        .map((group) => (
          <section key={group.name} aria-label={group.name}>
            <p className={styles.groupName}>{group.name}</p>
            <ul className={styles.group}>
              {group.links
                .filter((link) => !("shown" in link) || link.shown(place))
                .map(({ to, text, icon: Icon }) => (
                  <li key={to}>
                    <Link to={to} params={params} className={styles.link} onClick={onNavigate}>
                      <Icon size={18} stroke={1.7} aria-hidden />
                      {text}
                    </Link>
                  </li>
                ))}
            </ul>
          </section>
        ))}
    </nav>
  );
}

/** The name of the page one is on, for the top bar. */
export function PageName() {
  const matches = useMatchRoute();
  const page = groups
    .flatMap((group) => [...group.links])
    .find(({ to }) => matches({ to, fuzzy: true }));
  const you = matches({ to: "/$account/$environment/you" });
  return (
    <Text component="span" fz="sm" c="dimmed">
      {you ? "Your sign-in" : page?.text}
    </Text>
  );
}
