import type { MemberJson } from "@latchkey/sdk/client";
import { Alert, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { counted } from "../counts.ts";
import { may, usePlace } from "../place.ts";
import styles from "./keys.module.css";

/** Service tokens that live on though their maker goes, with the way to the page that deletes them. */
export function TokensMadeBy({ member }: { member: MemberJson }) {
  const { account, environment } = usePlace();
  const count = member.active_service_tokens;
  const [live, rights, them] =
    count === 1 ? ["lives", "an admin's rights", "it"] : ["live", "an admin's rights each", "them"];
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconKey aria-hidden />}
      title={`${counted(count, "service token")} created by ${member.name} ${live} on, with ${rights}. Delete ${them}?`}
    >
      <Text fz="sm">
        Whoever made a service token may have kept it, and could invite themselves with it.
      </Text>
      {may(account, "service_tokens:read") ? (
        <Link
          to="/$account/$environment/settings/service-tokens"
          params={{ account: account.slug, environment: environment.slug }}
          className={styles.link}
        >
          Settings &gt; Service tokens
        </Link>
      ) : null}
    </Alert>
  );
}
