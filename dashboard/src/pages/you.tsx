import { Badge } from "@mantine/core";
import { IconLink } from "@tabler/icons-react";
import { ChangeName } from "../parts/change-name.tsx";
import { ChangePassword } from "../parts/change-password.tsx";
import { Empty } from "../parts/empty.tsx";
import styles from "../parts/keys.module.css";
import { Page } from "../parts/page.tsx";
import { SecondFactor } from "../parts/second-factor.tsx";
import { Section } from "../parts/section.tsx";
import { Sessions } from "../parts/sessions.tsx";
import { usePlace } from "../place.ts";
import { ROLES } from "../roles.ts";

const title = "Your sign-in";

/** Name and address, password, second factor and sessions of whoever is signed in. */
export function YouPage() {
  const { person, accounts } = usePlace();
  const lead = "It is the same in every account that you belong to.";
  if (person.confined)
    return (
      <Page title={title} lead={`Signed in as ${person.email}.`}>
        <Empty
          icon={IconLink}
          title="You came here by a link"
          text="Such a session reaches this one account, and neither your password, nor your second factor, nor your other sessions. To see them, sign in with a password."
        />
      </Page>
    );
  return (
    <Page title={title} lead={lead}>
      <div className={styles.card}>
        <dl className={`${styles.facts} ${styles.first}`}>
          <dt>E-mail</dt>
          <dd className={styles.text}>{person.email}</dd>
          <dt>{accounts.length === 1 ? "Account" : "Accounts"}</dt>
          <dd>
            <ul className={styles.plain}>
              {accounts.map(({ id, name, role }) => (
                <li key={id}>
                  {name}{" "}
                  <Badge variant="default" size="sm" className={styles.badge}>
                    {ROLES[role].name}
                  </Badge>
                </li>
              ))}
            </ul>
          </dd>
        </dl>
      </div>
      <Section
        id="name"
        title="Name"
        text="What others read: among the members, beside what you make, and in the audit log."
      >
        <ChangeName name={person.name} />
      </Section>
      <Section id="password" title="Password" text="Changing it signs you out everywhere but here.">
        <ChangePassword email={person.email} />
      </Section>
      <Section
        id="second-factor"
        title="Second factor"
        text="A code from an app on your phone, asked for besides the password whenever you sign in."
      >
        <SecondFactor on={person.two_factor} email={person.email} />
      </Section>
      <Section
        id="sessions"
        title="Sessions"
        text="Where you are signed in now. The last use is noted once a day."
      >
        <Sessions />
      </Section>
    </Page>
  );
}
