import { Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ownAccountQuery } from "../api.ts";
import styles from "../parts/keys.module.css";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { MaximumAge } from "../parts/maximum-age.tsx";
import { Moment } from "../parts/moment.tsx";
import { Page } from "../parts/page.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { RequireSecondFactor } from "../parts/require-second-factor.tsx";
import { useNow } from "../parts/use-now.ts";
import { usePlace } from "../place.ts";

/** Settings > General: the account itself, and what its owners set for all its keys. */
export function GeneralPage() {
  const { account } = usePlace();
  const own = useQuery(ownAccountQuery(account.slug));
  const nowMs = useNow();
  return (
    <Page title="General" lead={`What holds in every environment of ${account.name}.`}>
      <ReadProblem what="The account" query={own} />
      {own.isPending ? <ListSkeleton what="account" /> : null}
      {own.data === undefined ? null : (
        <>
          <div className={styles.card}>
            <dl className={`${styles.facts} ${styles.first}`}>
              <dt>Name</dt>
              <dd className={styles.text}>{own.data.name}</dd>
              <dt>Slug</dt>
              <dd className={styles.text}>{own.data.slug}</dd>
              <dt>Created</dt>
              <dd>
                <Moment at={own.data.created_at} nowMs={nowMs} />
              </dd>
            </dl>
          </div>
          <Stack component="section" gap="sm" aria-labelledby="maximum-age">
            <div>
              <Title order={2} fz={16} id="maximum-age">
                Maximum age of API keys
              </Title>
              <Text fz="sm" c="dimmed" mt={4}>
                No key outlives it, whoever made it and whatever it was made for. Rotate keys before
                they end.
              </Text>
            </div>
            <MaximumAge days={own.data.api_key_max_age_days} />
          </Stack>
          <Stack component="section" gap="sm" aria-labelledby="second-factor">
            <div>
              <Title order={2} fz={16} id="second-factor">
                Second factor
              </Title>
              <Text fz="sm" c="dimmed" mt={4}>
                Whether people need a code besides their password to be let into {account.name}.
              </Text>
            </div>
            <RequireSecondFactor required={own.data.require_two_factor} />
          </Stack>
        </>
      )}
    </Page>
  );
}
