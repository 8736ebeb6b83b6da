import type { ApiKeyJson } from "@latchkey/sdk/client";
import { Alert, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { counted } from "../counts.ts";
import { keysMadeByQuery } from "../people-api.ts";
import { may, usePlace } from "../place.ts";
import styles from "./keys.module.css";
import { ReadProblem } from "./read-problem.tsx";

/** Keys that live on though their maker is gone, by environment, with the way to each list: rotate them? */
export function KeysMadeBy({ id, name }: { id: string; name: string }) {
  const { account, environments } = usePlace();
  const found = useQuery({
    ...keysMadeByQuery(account.slug, id),
    enabled: may(account, "keys:read"),
  });
  if (found.data === undefined) return <ReadProblem what="Their API keys" query={found} />;
  const { entries, page_info } = found.data;
  if (entries.length === 0) return null;
  const cut = page_info.after !== null;
  const live = entries.length === 1 ? "lives" : "live";
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconKey aria-hidden />}
      title={`${cut ? "More than " : ""}${counted(entries.length, "API key")} created by ${name} ${live} on. Rotate ${entries.length === 1 ? "it" : "them"}?`}
    >
      <Text fz="sm">
        Whoever made a secret key may have kept it. A rotated one is replaced without an
        interruption.
      </Text>
      <ul className={styles.links} aria-label={`API keys created by ${name}`}>
        {environments
          .map((environment) => ({ environment, count: countIn(entries, environment.slug) }))
          .filter(({ count }) => count > 0)
          .map(({ environment, count }) => (
            <li key={environment.id}>
              <Link
                to="/$account/$environment/platform/api-keys"
                params={{ account: account.slug, environment: environment.slug }}
                search={{ created_by: id }}
                className={styles.link}
              >
                {environment.name}: {cut ? "at least " : ""}
                {counted(count, "API key")}
              </Link>
            </li>
          ))}
      </ul>
    </Alert>
  );
}

const countIn = (keys: readonly ApiKeyJson[], environment: string): number =>
  keys.filter((key) => key.environment === environment).length;
