import type { MeJson } from "@latchkey/sdk/client";
import { Anchor, Button, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { EnrolSecondFactor } from "../parts/enrol-second-factor.tsx";
import { Plate } from "../parts/plate.tsx";
import { useSignOut } from "../parts/use-sign-out.ts";
import { Ways } from "../parts/ways.tsx";

interface SecondFactorDueProps {
  me: MeJson;
  account: MeJson["accounts"][number];
  /** See {@link EnrolSecondFactor}. */
  onEnrolled: () => void;
  onDone: () => void;
}

/** What stands in for an account that lets nobody in without a second factor: the way to have one. */
export function SecondFactorDuePage({ me, account, onEnrolled, onDone }: SecondFactorDueProps) {
  const others = me.accounts.filter(({ id }) => id !== account.id);
  const { signOut, isPending } = useSignOut();
  const title = `${account.name} requires a second factor`;
  if (me.person.confined)
    return (
      <Plate title={title} lead="Links of other products no longer let you in.">
        <Text fz="sm">Sign out, and sign in with a password and a second factor of your own.</Text>
        <Group>
          <Button variant="default" loading={isPending} onClick={signOut}>
            Sign out
          </Button>
        </Group>
      </Plate>
    );
  return (
    <Plate
      title={title}
      lead="Its owners let in only those who sign in with a code besides the password."
      width={560}
    >
      <EnrolSecondFactor email={me.person.email} onEnrolled={onEnrolled} onDone={onDone} />
      <Ways>
        {others.map(({ id, slug, name }) => (
          <Anchor
            key={id}
            inherit
            renderRoot={(props) => <Link to="/$account" params={{ account: slug }} {...props} />}
          >
            Go to {name}
          </Anchor>
        ))}
        <Anchor inherit component="button" type="button" onClick={signOut}>
          Sign out
        </Anchor>
      </Ways>
    </Plate>
  );
}
