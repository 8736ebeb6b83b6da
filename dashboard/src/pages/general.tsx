import { useQuery } from "@tanstack/react-query";
import { ownAccountQuery } from "../api.ts";
import styles from "../parts/keys.module.css";
import { ListSkeleton } from "../parts/list-skeleton.tsx";
import { MaximumAge } from "../parts/maximum-age.tsx";
import { Moment } from "../parts/moment.tsx";
import { Page } from "../parts/page.tsx";
import { ReadProblem } from "../parts/read-problem.tsx";
import { RequireSecondFactor } from "../parts/require-second-factor.tsx";
import { Section } from "../parts/section.tsx";
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
          <Section
            id="maximum-age"
            title="Maximum age of API keys"
            text="No key outlives it, whoever made it and whatever it was made for. Rotate keys before they end."
          >
            <MaximumAge days={own.data.api_key_max_age_days} />
          </Section>
          <Section
            id="second-factor"
            title="Second factor"
            text={`Whether people need a code besides their password to be let into ${account.name}.`}
          >
            <RequireSecondFactor required={own.data.require_two_factor} />
          </Section>
        </>
      )}
    </Page>
  );
}
